"""`innerloop doctor`, the section on ways in: how a make that is typed here is seen, and why not. Changes nothing of a project."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from innerloop.core.consent import apply
from innerloop.core.consent.resolve import ConsentState, Context
from innerloop.core.launcher import probe
from innerloop.core.probe import attached, place
from innerloop.core.shared import cache, files, paths, programs
from innerloop.tools.setup import changes, gnumakefile, hooks, makefiles, owners
from innerloop.tools.setup.init import project_root
from innerloop.tools.setup.makefiles import Makefile

PATIENCE = 5  # s that `make --version` may take
OLDEST = (3, 81)


class Row(NamedTuple):
    """One thing that was looked at: its name, whether it is as it should be, and a sentence: what, why, what to do."""

    name: str
    good: bool
    finding: str
    aside: bool = False  # neither well nor ill: something to know


def rows(context: Context, state: "ConsentState | None") -> "list[Row]":
    """Every way in, with the state of each; `state` is None where there is no usable project."""
    root = project_root(context)
    found = makefiles.find(root)
    shown = [_root_row(root, found), *(_below_rows(root, found) if state else ())]
    shown += [_attach_row(context, state.measures), _hook_row(context)] if state else [_hook_row(context)]
    return [*shown, *(_probe_rows(context, state) if state and state.measures else ()), _make_row(context), _limits_row()]


def _root_row(root: str, found: "list[Makefile]") -> Row:
    """Whether make reads our lines in the project's own directory."""
    path = f"{root}/{gnumakefile.NAME}"
    at_root = [one for one in found if not one.directory]
    try:
        data = changes.look(path)
    except (changes.Refused, OSError) as error:
        return Row("GNUmakefile", False, f"{error}, so make typed here is measured only with the shell hook")
    if gone := gnumakefile.gone(root, data):
        return Row("GNUmakefile", False, gone)
    if at_root and (reason := owners.owners(root, found, at_root).get("")):
        return _owned_row(path, data, reason)
    if data is None:
        if not at_root:
            return Row("GNUmakefile", True, f"there is no Makefile in {root} to attach to")
        return Row("GNUmakefile", False, "none, so make typed here is measured only with the shell hook. `innerloop init` writes one")
    if gnumakefile.is_attached(data):
        whole, tracked = gnumakefile.is_whole(data), makefiles.is_tracked(path)
        if gnumakefile.is_outdated(data):
            return Row("GNUmakefile", True, f"{path}: innerloop's, of an earlier version; `innerloop init` renews it", aside=True)
        kind = "innerloop's" if whole else "the project's own, with innerloop's lines"
        return Row(
            "GNUmakefile", True, f"{path}: {kind}, {'in git, so for everybody' if tracked else 'not in git, so for this checkout alone'}"
        )
    if gnumakefile.is_edited(data):
        return Row("GNUmakefile", False, f"{path}: somebody changed innerloop's lines; remove what is left of them, then `innerloop init`")
    return Row("GNUmakefile", False, f"{path} is the project's own, without innerloop's line: `innerloop init` adds it")


def _owned_row(path: str, data: "bytes | None", reason: str) -> Row:
    """What follows where the name is the project's own."""
    if gnumakefile.is_whole(data or b""):
        danger = "may make `make` start itself for ever: `innerloop init --uninstall` removes it"
        return Row("GNUmakefile", False, f"{path}: innerloop's, but the name is the project's own ({reason}); it {danger}")
    return Row("GNUmakefile", True, f"the name is the project's own ({reason}), so innerloop has none here: use the shell hook", aside=True)


def _below_rows(root: str, found: "list[Makefile]") -> "Iterator[Row]":
    """Directories with a Makefile of their own, in which make may be started."""
    bare = []
    for one in found:
        if one.directory:
            try:
                data = changes.look(os.path.join(root, one.directory, gnumakefile.NAME))
            except (changes.Refused, OSError):
                data = b""
            if data is None or not gnumakefile.is_attached(data):
                bare.append(one.directory)
    if bare:
        names = ", ".join(bare[:5]) + (f" and {len(bare) - 5} more" if len(bare) > 5 else "")
        what = "a make started there, or by `make -C`, is measured only with the shell hook or inside a measured make"
        yield Row(
            "below", True, f"no GNUmakefile of innerloop's in {names}: {what}. `innerloop init --all-makefiles` writes them", aside=True
        )


def _attach_row(context: Context, measures: bool) -> Row:
    """Whether the file is there that a GNUmakefile looks for."""
    path = f"{context.state}/{attached.NAME}"
    if context.home.shared:
        return Row(
            "attach.mk",
            False,
            "in a container that shares the host's files innerloop does not attach to make: use `innerloop run -- make ...`",
        )
    if paths.may_hang(context.env):
        return Row(
            "attach.mk", False, "the home may hang, so innerloop does not attach to make; set XDG_STATE_HOME to a directory of this machine"
        )
    try:
        data = files.read_own(path)
    except files.UnusableFile as error:
        return Row("attach.mk", False, f"{error}: remove it; the next measured command writes it again")
    if data is None and not measures and not os.path.exists(f"{context.state}/enabled"):
        return Row("attach.mk", True, f"{path} is absent: nothing on this machine is measured, so a GNUmakefile does nothing", aside=True)
    if problem := attached.problem(context.state, apply.command()):
        return Row(
            "attach.mk", False, f"innerloop does not attach to make, because {problem}; use `innerloop run -- make ...` or the shell hook"
        )
    if data is None:
        return Row("attach.mk", False, f"{path} is absent though something is measured: `innerloop run -- true` writes it again")
    if data != attached.text(context.state, apply.command()).encode():
        return Row("attach.mk", False, f"{path} belongs to another installation or version: `innerloop run -- true` here renews it")
    return Row("attach.mk", True, f"{path}: a GNUmakefile includes it")


def _hook_row(context: Context) -> Row:
    """A child cannot see its shell's functions: say how to look."""
    shell = os.path.basename(os.fsdecode(context.env.get(b"SHELL", b"")))
    path, line = hooks.LINES.get(shell, ("your shell's startup file", "innerloop hook bash|zsh|fish"))
    test = "functions make" if shell == "fish" else "type make"
    return Row(
        "shell hook",
        True,
        f"a command cannot see it; where it is loaded, `{test}` says `function`. To load it, add to {path}: {line}",
        aside=True,
    )


def _probe_rows(context: Context, state: ConsentState) -> "Iterator[Row]":
    """Whether targets can be seen inside a make."""
    if context.env.get(probe.OFF, b"").lower() in (b"off", b"0", b"no", b"false"):
        yield Row("targets", False, f"{probe.OFF.decode()} is off: runs are measured as a whole")
        return
    cached = cache.read(context.home, os.fsencode(state.path), os.stat(state.path), context.today)
    directory = "" if cached is None else os.fsdecode(cached.probe)
    if not place.PLAIN.fullmatch(context.state):
        reason = f"{context.state} has characters that make does not accept in a file's name"
        yield Row("targets", False, f"runs are measured as a whole, because {reason}. Set XDG_STATE_HOME to another directory")
        return
    if cached and not directory and (reason := place.prepare(context.state)[1]):  # tried again, as the next answer would
        yield Row("targets", False, f"runs are measured as a whole, because {reason}. Set XDG_STATE_HOME to another directory")
    elif not directory:
        yield Row("targets", True, "the next run in this project finds out whether they can be seen; run doctor again after it", aside=True)
    elif problem := place.usable(directory):
        yield Row("targets", False, f"runs are measured as a whole, because {problem}. Set XDG_STATE_HOME to another directory")
    else:
        yield Row("targets", True, f"{directory}: each target of a measured make is seen")


def _make_row(context: Context) -> Row:
    """Which make is typed, and whether it is one that can be seen into."""
    make = programs.find(b"make", context.env, os.fsencode(context.directory))
    path = os.fsdecode(make)
    if not make:
        return Row("make", False, "there is no make in the absolute entries of PATH")
    said = programs.output([make, b"--version"], "/", programs.environment(context.env), PATIENCE)
    if said is None:
        return Row("make", False, f"{path} --version does not say what it is within {PATIENCE} s")
    words = said.decode("utf-8", "replace").split("\n", 1)[0].split()
    if words[:2] != ["GNU", "Make"]:
        return Row("make", False, f"{path} is not GNU make: its runs are measured as a whole by `innerloop run`, and nothing else")
    version = words[2] if len(words) > 2 else ""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        return Row("make", False, f"{path} is GNU make {version}, older than 3.81, the oldest whose targets can be seen")
    return Row("make", True, f"{path}: GNU make {version}")


def _limits_row() -> Row:
    return Row(
        "never seen",
        True,
        "make -n -q -t -p -d --trace (nothing runs, or make explains itself), make -f FILE without the hook, makes that scripts start outside a measured run",
        aside=True,
    )
