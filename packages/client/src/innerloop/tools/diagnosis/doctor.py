"""`innerloop doctor`: why commands are (not) measured here, and where every record is."""

import os
import shutil
import textwrap

from innerloop import __version__
from innerloop.core.asking import home_check
from innerloop.core.consent import phrases
from innerloop.core.consent.resolve import ConsentState, Context, NoProject, forbidden, resolve
from innerloop.core.plan import project_file
from innerloop.core.plan.project import ProjectError
from innerloop.core.shared import cache, environment, paths
from innerloop.core.shared.container import container_mark
from innerloop.core.shared.terminal import line
from innerloop.tools.diagnosis import ledger, spool_checks, way_checks
from innerloop.tools.diagnosis.spool_checks import Check
from innerloop.tools.diagnosis.status import MEANING
from innerloop.tools.output import show, show_json


def doctor(context: Context, as_json: bool) -> int:
    """Say why commands are (not) measured here, and whether the ledger adds up. Exit status 1 where it does not."""
    checks = [
        Check("version", True, f"innerloop {__version__}, {os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))}")
    ]
    if container_mark(context.home):
        checks.append(_container_check(context))
    counts = state = None
    try:
        state = resolve(context)
    except (NoProject, ProjectError) as error:
        checks.append(Check("project file", False, str(error)))
    else:
        spool = context.spool(state.key)
        counts = ledger.count(spool)
        checks += [*_project_checks(state, context), *_consent_checks(state, context), *spool_checks.checks(state, context, counts)]
        if kind := home_check.network(context):
            checks.append(Check("state directory", False, f"it is on {kind}, which may hang: runs may then go unrecorded"))
    ways_in = way_checks.rows(context, state)
    if as_json:
        document = {
            "checks": [check._asdict() for check in checks],
            "ways_in": [row._asdict() for row in ways_in],
            "ledger": None if counts is None else spool_checks.document(counts),
        }
        show_json(document)
    else:
        for row in [*(way_checks.Row(*check) for check in checks), *ways_in]:
            mark = "--" if row.aside else "ok" if row.good else "NO"
            show(_wrapped(f"{mark}  {row.name:<13} ", line(row.finding)))
        if counts is not None:
            show(line(spool_checks.equation(counts)))
    return 1 if counts is not None and not counts.adds_up else 0


def _wrapped(head: str, text: str) -> str:
    """A finding as a person reads it, folded to the terminal; one line where a program reads."""
    if not os.isatty(1):
        return head + text
    width = max(shutil.get_terminal_size().columns, 60)
    return textwrap.fill(head + text, width, subsequent_indent=" " * len(head), break_long_words=False, break_on_hyphens=False)


def _container_check(context: Context) -> Check:
    home, mount = context.home, os.fsdecode(paths.MOUNT)
    if not home.shared:
        mark = os.fsdecode(container_mark(home))
        what = f"you are in one ({mark}), and events say so; it has files of its own. To share the host's answer, run on the host: innerloop init --container"
        return Check("container", True, what)
    shared = f"you are in one, and events say so; {mount} shares the consent and the spool of the host's uid {home.uid}"
    return Check("container", not home.problem, home.problem or shared)


def _project_checks(state: ConsentState, context: Context) -> "list[Check]":
    checks = [Check("project file", True, f"{state.path}: {state.project.name} of {state.project.organisation}")]
    if state.project.unknown:
        checks.append(Check("unknown keys", False, f"{', '.join(state.project.unknown)}: not known to this version, so off"))
    if not state.project.names.allow:
        checks.append(Check("names", False, "[names] allow is empty: every command is recorded as `other`"))
    mode = project_file.machine_mode("/etc/innerloop.toml")
    if mode != "on":
        checks.append(Check("machine file", False, f"/etc/innerloop.toml: {mode}"))
    reason = forbidden(context)
    if reason:
        checks.append(Check("environment", False, reason))
    elif mark := environment.ci_mark(context.env):
        what = f"{mark.decode()} is set, so this looks like a CI job: nothing is recorded. If it is not one, set CI=false"
        checks.append(Check("environment", False, what))
    return checks


def _consent_checks(state: ConsentState, context: Context) -> "list[Check]":
    wanted = state.measures
    checks = [Check("consent", wanted, MEANING[state.mode] + (f" ({state.reason})" if state.reason else ""))]
    if state.changed and state.changed.wider:
        groups = tuple(f"the group {phrases.in_quotes(group)}" for group in state.changed.groups)
        changed = ", ".join(state.changed.added + state.changed.finer + groups + state.changed.other)
        checks.append(Check("changed plan", False, f"{changed}; decide: {phrases.opt_in_command(state.project)}"))
    found = os.stat(state.path)
    path = cache.path_for(context.home, os.fsencode(state.path), found)
    cached = cache.read(context.home, os.fsencode(state.path), found, context.today)
    checks.append(Check("cache", True, f"{os.fsdecode(path)}: {'current' if cached else 'missing or out of date; the next run writes it'}"))
    return checks
