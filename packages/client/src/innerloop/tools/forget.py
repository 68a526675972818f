"""`innerloop reset-id` and `innerloop forget`: another id, and the erasure of everything under the ids there were."""

import shutil
from typing import Any, Optional

from innerloop.core.asking import dialogue
from innerloop.core.consent import answer as answers
from innerloop.core.consent import phrases
from innerloop.core.consent.apply import apply
from innerloop.core.consent.resolve import ConsentState, Context, resolve
from innerloop.core.outbound import erasure, http_client
from innerloop.core.outbound.answers import ACCEPTED
from innerloop.core.shared import cache, environment, terminal, untrusted
from innerloop.core.shared.terminal import Failure, line, say
from innerloop.core.spool import held, store
from innerloop.core.spool.wanted_erasures import Wanted
from innerloop.tools import erasing
from innerloop.tools.output import count, show, show_json

PATIENCE = 60.0  # s to wait for a collector that says that it is at work: a large store takes its time


def _only_a_person(state: ConsentState, context: Context) -> None:
    if not state.agents_may_answer and environment.by_agent(context.env):
        raise Failure("only a person can do this; a coding agent may not answer, change or erase for them")
    if refusal := context.home.refusal():
        raise Failure(f"{refusal}: there is nothing of yours here")
    if state.unusable:
        raise Failure(f"{state.unusable}; `{phrases.opt_out_command(state.project)}` moves it aside")


def reset_id(context: Context) -> int:
    """`innerloop reset-id`: a new id from now on. The old one stays here, as the key to erasure."""
    state = resolve(context)
    _only_a_person(state, context)
    if not state.answer.user_id:
        raise Failure(f"there is no id for {state.project.name} here: none is made before a yes")
    after = erasing.new_id(state.answer, state.project.retention_days, context.now())
    apply(resolve(context), context)
    say(
        phrases.fold(
            f"{state.project.name} records carry a new id from now on, {after.user_id[:8]}...; the old one was {state.answer.user_id[:8]}....",
            "Records that wait already leave under the old one. To reports you are now somebody new.",
            f"The old id stays in {after.path} until {after.earlier(context.now())[-1]['until']}, as the key to erasure: innerloop forget",
        )
    )
    return 0


def forget(context: Context, receipt: str, as_json: bool) -> int:
    """`innerloop forget`: erase here and on the collector, or (`--check`) look at a receipt."""
    state = resolve(context)
    if receipt:
        return _check(state, receipt, as_json)
    _only_a_person(state, context)
    if not state.testing and environment.in_ci(context.env):
        raise Failure("only a person at a terminal can have records erased; this is a CI job")
    if not cache.at_terminal():
        raise Failure("only a person can have records erased: run this at a terminal, with nothing piped in or out")
    known, unknown = erasing.by_key(state.answer, state.project, context.now())
    if known or unknown or not erasing.waiting(context.state, state.key):
        if terminal.ask(_question(state, context)).lower() != "yes":
            say("Nothing was erased.")
            return 0
        erase_here(state, context)
        if unknown:
            say(_kept(state, unknown))
        if not erasing.waiting(context.state, state.key):
            say("Erased here. There is no id that a collector could be asked about.")
            return 0
    return _ask(state, context)


def _kept(state: ConsentState, ids: "list[dict[str, str]]") -> str:
    """What becomes of ids that nobody can be asked about now."""
    return phrases.fold(
        f"{count(len(ids), 'id')} of another write key {'stays' if len(ids) == 1 else 'stay'} in {state.answer.path} until "
        f"{max(one['until'] for one in ids)}, as the key to erasure: with that write key in {state.path} again, type innerloop forget"
    )


def _question(state: ConsentState, context: Context) -> str:
    project, spool = state.project, context.spool(state.key)
    copies = sum(len(store.ids(spool, place)) for place in store.RUNS)
    ids = sum(map(len, erasing.by_key(state.answer, project, context.now())[0].values()))
    others = f" and {ids - 1} earlier id{'s' if ids > 2 else ''}" if ids > 1 else ""
    lines = [phrases.fold(f"Erase what was measured for {project.name}?")]
    lines.append(f"  here       {count(copies, 'record or copy', 'records and copies')}, the report's history, then the id")
    if ids:
        lines.append(f"  collector  every record under this id{others}, at {project.endpoint_host}")
    lines += [phrases.fold(f"  {one.name} gets {one.receives}: the collector says what becomes of that") for one in project.recipients]
    lines.append(f"  remains    totals of {phrases.GROUP} or more people, which hold no id")
    return "\n".join([*lines, "Measuring stops first. Erase now? Type yes: "])


def erase_here(state: ConsentState, context: Context) -> None:
    """Stop measuring, write down whom the collector must forget, then delete everything that lies here."""
    known, unknown = erasing.by_key(state.answer, state.project, context.now())
    answers.decline(state.answer, context.now())
    dialogue.purge_all(context, state)
    for write_key, ids in known.items():
        wanted = Wanted(state.project.id, state.project.endpoint, write_key, ids)
        erasing.want(context.state, erasing.wish_key(state.project, state.key, write_key), wanted)
    erasing.without_ids(state.answer, unknown, context.now())
    for key in dialogue.keys_of(context, state):
        shutil.rmtree(context.spool(key), ignore_errors=True)
    apply(resolve(context), context)


def _ask(state: ConsentState, context: Context) -> int:
    """Ask the collector, and say what it did."""
    project = state.project
    if not context.reaches(project.endpoint):
        raise Failure(
            f"erased here, all but the ids: {project.endpoint_host} is the host's own address: to finish, run on the host: innerloop forget"
        )
    asked = [erasure.ask(context.state, key, context.now, PATIENCE) for key in erasing.waiting(context.state, state.key)]
    refused = [_told(state, receipt) for receipt, _ in asked if receipt]
    for receipt, problem in asked:
        if receipt is None:
            raise Failure(
                f"erased here, all but the ids: {project.endpoint_host} did not confirm ({problem}). The request is repeated until it does, "
                "whenever you use innerloop; now: innerloop forget. See: innerloop status"
            )
    return 1 if any(refused) else 0


def _told(state: ConsentState, receipt: erasure.Receipt) -> bool:
    """Say what a receipt says; returns whether the collector refused any id."""
    project = state.project
    lines = [f"Erased here. {project.organisation} deleted {count(receipt.events, 'record')}, receipt {receipt.receipt}."]
    if receipt.states.get("unknown"):
        lines.append(f"Of {count(receipt.states['unknown'], 'id')} it had no record.")
    if receipt.states.get("refused"):
        lines.append(
            f"It could not confirm that {receipt.states['refused']} of the ids are yours. Ask: {project.contact or project.organisation}"
        )
    lines += [fate(name, state) for name, state in receipt.destinations.items()]
    say(phrases.fold(*lines, f"Check later: innerloop forget --check {receipt.receipt}"))
    return bool(receipt.states.get("refused"))


def fate(name: str, state: str) -> str:
    """What became of records elsewhere, for a person: of a destination the collector says erased where it never got any."""
    if state == erasure.ERASED and name != erasing.BACKUPS:
        return f"{name}: nothing was ever forwarded there, so there is nothing to erase."
    if state == erasure.NOT_PROVABLE and name != erasing.BACKUPS:
        return f"{name}: not provable; it got some records, or may have, and nobody can prove that they are gone."
    return f"{name}: {state}."


def _check(state: ConsentState, receipt: str, as_json: bool) -> int:
    if not erasure.is_receipt(receipt):
        raise Failure("that is not a receipt: a receipt has letters and digits only, as `innerloop forget` printed it")
    outcome = http_client.ask(f"{state.project.endpoint}/v1/forget/{receipt}", state.project.write_key)
    if outcome.kind != ACCEPTED:
        raise Failure(f"{state.project.endpoint_host} does not confirm {receipt}: {outcome.detail}")
    document = _looked_up(outcome.content, receipt)
    if document is None:
        raise Failure(f"{state.project.endpoint_host} answered, but not as innerloop's collector does")
    told = f"{document['day']}: {count(document['events'], 'record')} of {count(document['ids'], 'id')} deleted"
    others = [fate(one["name"], one["state"]) for one in document.get("destinations", [])]
    if as_json:
        show_json(document)
    else:
        show("\n".join(map(line, [told, *others])))
    return 0


def _looked_up(content: bytes, receipt: str) -> "Optional[dict[str, Any]]":
    """Read what a collector knows of a receipt, or None where that is not what it said."""
    try:
        document = untrusted.parse_object(content)
        others = document.get("destinations", [])
        sound = (
            (document["receipt"], held.is_day(document["day"])) == (receipt, True)
            and all(untrusted.is_whole(document[key], erasure.MOST_EVENTS) for key in ("events", "ids"))
            and all(isinstance(one[key], str) and len(one[key]) <= erasure.LONGEST_WORDS for one in others for key in ("name", "state"))
        )
        return document if sound else None
    except (ValueError, KeyError, TypeError):
        return None
