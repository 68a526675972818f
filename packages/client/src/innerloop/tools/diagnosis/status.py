"""`innerloop status` and `innerloop doctor`: the truth about this project on this machine."""

import os
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

from innerloop import __version__
from innerloop.core.asking import home_check
from innerloop.core.consent import phrases, texts
from innerloop.core.consent.answer import LOCAL, NO, ON
from innerloop.core.consent.resolve import OFF, PAUSED, ConsentState, Context, NoProject, forbidden, resolve
from innerloop.core.outbound import erasure
from innerloop.core.plan import project_file
from innerloop.core.plan.project import ProjectError
from innerloop.core.shared import cache, environment, paths
from innerloop.core.shared.container import container_mark
from innerloop.core.shared.terminal import line
from innerloop.core.spool import store
from innerloop.tools import erasing
from innerloop.tools.diagnosis import ledger, spool_checks, way_checks
from innerloop.tools.diagnosis.spool_checks import Check
from innerloop.tools.output import show, show_json

MEANING = {
    ON: "sharing",
    LOCAL: "local: measured for you, nothing is sent",
    NO: "no: nothing is recorded",
    OFF: "off: nothing is recorded",
    PAUSED: "paused: nothing is recorded or sent until you answer",
}


def status(context: Context, as_json: bool) -> int:
    """Print what holds for this project."""
    state = resolve(context)
    counts = ledger.count(context.spool(state.key))
    if as_json:
        show_json(_document(state, context, counts))
        return 0
    consent = state.answer.consent
    agreed = f", agreed {str(consent.get('timestamp', ''))[:10]} (text {str(consent.get('text', '-'))[:8]}, plan {state.digest[:8]})"
    show(phrases.fold(f"{state.project.name}: {MEANING[state.mode]}{agreed if state.mode == ON else ''}"))
    for title, text in [*_agreed(state), *_kept(state, context, counts), ("change", " | ".join(_ways(state, context)))]:
        _say(title, line(text))
    return 0


def _agreed(state: ConsentState) -> "Iterator[tuple[str, str]]":
    """What was answered and what follows from it."""
    if state.reason:
        yield "because", state.reason
    if state.mode == OFF and not state.reason:
        yield "because", "nobody answered the question yet"
    if state.mode in (ON, PAUSED):
        yield "goes to", f"{state.project.organisation}, {texts.place(state.project)}"
    if state.measures:
        yield "fields", f"{len(state.agreement['fields'])}: innerloop describe"
    if state.answer.user_id:
        yield "your id", f"{state.answer.user_id[:8]}..., for this project only; a new one: innerloop reset-id"
    if "cohort" in state.agreement["fields"] and state.mode == ON:
        yield "cohort", _cohort(state)


def _kept(state: ConsentState, context: Context, counts: ledger.Ledger) -> "Iterator[tuple[str, str]]":
    """What lies here and there."""
    if counts.recorded:
        sent = len(store.ids(context.spool(state.key), "sent"))
        waiting = "not in your report yet" if state.mode == LOCAL else "to send"
        yield "here", f"{counts.queued} {waiting}, {counts.quarantined - sum(counts.held.values())} set aside, {sent} sent copies"
        yield from (("held", text) for text in spool_checks.held_there(state, context.spool(state.key)))
    if state.answer.user_id:
        yield "there", f"kept {state.project.retention_days} days"
    waits = [erasure.read(context.state, key) for key in erasing.waiting(context.state, state.key)]
    if waits:
        yield (
            "erasure",
            f"of {sum(len(one.ids) for one in waits if one)} ids not confirmed yet by {state.project.endpoint_host}; ask now: innerloop forget",
        )
    for day, receipt in erasing.receipts(context.state, state.project.id)[-3:]:
        yield "erased", f"{day}, receipt {receipt}"


def _say(title: str, text: str) -> None:
    """Print one titled line, wrapped under itself."""
    first, rest = f"  {title:<10}", " " * 12
    show(textwrap.fill(text, phrases.WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False))


def _cohort(state: ConsentState) -> str:
    """What the developer named, and whether it still leaves."""
    named = state.answer.cohort
    if not named:
        return f"not said; name one: {phrases.opt_in_command(state.project)}"
    return named if named in state.project.cohorts else f"{named}: no longer offered, so it does not leave"


def _ways(state: ConsentState, context: Context) -> "list[str]":
    """What can be typed to change what holds."""
    ways = [] if state.measures else [phrases.opt_in_command(state.project)]
    ways += [phrases.opt_out_command(state.project)] if state.measures or state.mode == PAUSED else []
    ways += ["innerloop opt-in --local"] if state.mode == ON else []
    return ways + (["innerloop forget"] if state.answer.held(0, context.now()) else [])


def _document(state: ConsentState, context: Context, counts: ledger.Ledger) -> "dict[str, Any]":
    return {
        "project": state.project.id,
        "organisation": state.project.organisation,
        "endpoint": state.project.endpoint,
        "mode": state.mode,
        "reason": state.reason,
        "answered": state.answer.consent.get("timestamp"),
        "plan": state.digest,
        "fields": state.agreement["fields"],
        "changed": None if state.changed is None else state.changed._asdict(),
        "id": state.answer.user_id or None,
        "cohort": state.answer.cohort or None,
        "consent_file": state.answer.path,
        "ledger": spool_checks.document(counts),
        "earlier_ids": len(state.answer.earlier(context.now())),
        "erasure_waits": bool(erasing.waiting(context.state, state.key)),
        "receipts": [receipt for _, receipt in erasing.receipts(context.state, state.project.id)],
        "sent_copies": len(store.ids(context.spool(state.key), "sent")),
    }


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
    if not state.project.names:
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
