"""`innerloop status`: the truth about this project on this machine."""

import textwrap
from collections.abc import Iterator
from typing import Any

from innerloop.core.consent import phrases, texts
from innerloop.core.consent.answer import LOCAL, NO, ON
from innerloop.core.consent.resolve import OFF, PAUSED, ConsentState, Context, resolve
from innerloop.core.shared.terminal import line
from innerloop.core.spool import store, wanted_erasures
from innerloop.tools import erasing
from innerloop.tools.diagnosis import ledger, spool_checks
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
    waits = [wanted_erasures.read(context.state, key) for key in erasing.waiting(context.state, state.key)]
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
    return named if named in state.project.names.cohorts else f"{named}: no longer offered, so it does not leave"


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
