"""`innerloop uninstall`: this machine as if innerloop had never been there, but for what a person keeps."""

import argparse
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from innerloop.core.asking import dialogue
from innerloop.core.consent import answer as consent
from innerloop.core.consent import places
from innerloop.core.consent.resolve import Context
from innerloop.core.outbound import erasure
from innerloop.core.plan.founding import SYSTEMS
from innerloop.core.plan.project import ProjectError
from innerloop.core.shared import cache, environment, files, terminal
from innerloop.core.shared.terminal import Failure, line, say
from innerloop.core.spool import entries, layout, store, wanted_erasures
from innerloop.tools.output import count, show, show_json
from innerloop.tools.setup import leftovers
from innerloop.tools.setup.leftovers import Named

PATIENCE = 20.0  # s that a collector gets to confirm an erasure that waits
WHY_KEPT = "you keep your answers: a no stays a no, and collectors erase for whoever has the key in it (innerloop forget)"


class Inventory(NamedTuple):
    """What there is of innerloop on this machine."""

    answers: "list[str]"
    keys: int  # answers that hold the key by which a collector erases
    stays: "list[Named]"
    program: "list[str]"  # of `innerloop.pyz install`


def uninstall(context: Context, given: argparse.Namespace) -> int:
    """Remove what is ours, say what stays and why. Exit status 1 where something of ours had to stay."""
    _may(context)
    found = _look(context)
    state = leftovers.state(context.state)
    keep = given.keep_answers
    if not (keep or given.dry_run or given.json) and found.answers and cache.at_terminal():
        keep = _asked(found)
    if not given.dry_run:
        _refuse_while_something_runs(context)
    waits = [] if given.dry_run else list(_erase(context))
    remove = [*dict.fromkeys([*state, *leftovers.state(context.state)]), *([] if keep else found.answers), *found.program]
    failed = [] if given.dry_run else list(_remove(context, remove))
    stays = [*failed, *waits, *(Named(path, WHY_KEPT) for path in found.answers if keep), *found.stays]
    if not given.dry_run:
        _remove_empty(context, found.program)
        stays += [*leftovers.strangers(context.state, ("hot", "spool", "probe", "forget")), *leftovers.strangers(context.config)]
    stays = list({one.path: one for one in reversed(stays)}.values())[::-1]
    removed = [path for path in remove if path not in {one.path for one in failed}]
    if given.json:
        show_json(_document(given.dry_run, removed, stays, waits))
    else:
        _tell(given.dry_run, removed, stays)
    return 1 if failed or waits else 0


def _may(context: Context) -> None:
    if environment.by_agent(context.env):
        raise Failure("only a person can do this; a coding agent may not answer for them")
    if context.home.shared:
        raise Failure("this container shares the host's files: uninstall there, and take the mounts out of the compose file")
    if refusal := context.home.refusal():
        raise Failure(f"{refusal}: there is nothing of yours here")


def _look(context: Context) -> Inventory:
    spools = [f"{context.state}/spool/{name}" for name in entries.spools(context.state)]
    roots = [root for spool in spools for root in layout.roots(spool)]
    answers = leftovers.answers(context.config)
    keys = sum(bool(found.user_id or found.earlier(context.now())) for path in answers if (found := consent.load_if_sound(path)))
    program = [path for share, link in leftovers.shares(context.env) for path in _installed(share, link)]
    stays = [*leftovers.gnumakefiles(roots), *leftovers.hook_lines(context.env), *_of_founding_systems(context)]
    return Inventory(answers, keys, stays, list(dict.fromkeys(program)))


def _installed(share: str, link: str) -> "list[str]":
    return [*([link] if leftovers.is_link_to(link, share) else []), *leftovers.versions(share)]


def _of_founding_systems(context: Context) -> "Iterator[Named]":
    """An answer in the file of a system that was there before innerloop: the file is theirs."""
    for system in SYSTEMS.values():
        with suppress(ProjectError):
            path = places.place(places.known_name(system.config), context.home)
            if os.path.lexists(path):
                yield Named(path, f"{system.name}'s own file; your answer in it holds for {system.name} without innerloop too")


def _asked(found: Inventory) -> bool:
    """Whether the answers stay, by a person at the terminal. Raises Failure where they want nothing of this."""
    keys = (
        f"; {count(found.keys, 'of them holds', 'of them hold')} the only key by which a collector erases what it has of you"
        if found.keys
        else ""
    )
    say(f"{count(len(found.answers), 'answer')} to what may be measured {'is' if len(found.answers) == 1 else 'are'} kept here{keys}.")
    say("Without them you may be asked again if you install innerloop again.")
    answer = terminal.ask("Remove innerloop from this machine? yes: answers too   keep: not the answers   Enter: not now. ").lower()
    if answer not in ("yes", "y", "keep", "k"):
        raise Failure("nothing was removed")
    return answer in ("keep", "k")


def _refuse_while_something_runs(context: Context) -> None:
    """A measured build uses files of ours until it ends. Nothing new begins from here on."""
    files.remove(f"{context.state}/enabled")
    files.remove(f"{context.state}/attach.mk")
    running = 0
    for name in entries.spools(context.state):
        spool = f"{context.state}/spool/{name}"
        running += sum(not store.abandoned(f"{spool}/run/{run_id}", context.now()) for run_id in entries.ids(spool, "run"))
    if running:
        raise Failure(
            f"{count(running, 'measured command is', 'measured commands are')} running and use files here; try again when they have ended"
        )


def _erase(context: Context) -> "Iterator[Named]":
    """Ask collectors for the erasures that wait; what they do not confirm stays, since nothing else could ask again."""
    for key in wanted_erasures.waiting(context.state):
        wanted = wanted_erasures.read(context.state, key)
        if wanted is None:
            continue
        receipt, problem = erasure.ask(context.state, key, context.now, PATIENCE)
        if receipt:
            say(f"Erased at {line(wanted.endpoint)}: {count(receipt.events, 'record')}, receipt {receipt.receipt}.")
        else:
            why = f"{wanted.endpoint} has not confirmed an erasure yet ({problem}), and this file alone can ask: try again later, or delete it"
            yield Named(f"{context.state}/forget/{key}.json", why)


def _remove(context: Context, paths: "list[str]") -> "Iterator[Named]":
    """Delete each path; those that could not be, with the reason."""
    for key, _ in dialogue.known(context):
        dialogue.purge(context, key)  # ends a delivery that is under way
    for path in paths:
        try:
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.lexists(path):
                files.clear(path)
        except OSError as error:
            yield Named(path, f"it could not be removed: {error.strerror}")


def _remove_empty(context: Context, program: "list[str]") -> None:
    """Remove directories of ours that are empty now."""
    ours = [*(f"{context.state}/{name}" for name in ("hot", "spool", "probe", "forget")), context.state, context.config]
    for directory in [*ours, *dict.fromkeys(os.path.dirname(path) for path in program if not path.endswith("/bin/innerloop"))]:
        if not os.path.islink(directory):
            with suppress(OSError):
                os.rmdir(directory)


def _document(dry: bool, removed: "list[str]", stays: "list[Named]", waits: "list[Named]") -> "dict[str, Any]":
    return {
        "dry_run": dry,
        "removed": removed,
        "stays": [one._asdict() for one in stays],
        "erasures_not_confirmed": len(waits),
        "package": leftovers.package(),
    }


def _tell(dry: bool, removed: "list[str]", stays: "list[Named]") -> None:
    for path in removed:
        show(line(f"{'would be removed' if dry else 'removed'}  {path}"))
    for one in stays:
        show(line(f"stays    {one.path}: {one.why}"))
    if not removed:
        show("There is nothing of innerloop to remove here.")
    if package := leftovers.package():
        show(f"To remove the package itself: {package}")
