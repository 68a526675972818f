"""`innerloop describe` and `innerloop show`: what can be collected, the very bytes, and what the collector keeps. Nothing here sends a record."""

import json
import os
from typing import Any

from innerloop.core.asking import events
from innerloop.core.consent import phrases, texts
from innerloop.core.consent.answer import ON
from innerloop.core.consent.resolve import ConsentState, Context, for_clones, resolve
from innerloop.core.outbound import batches, http_client, seal
from innerloop.core.plan.agreement import digest
from innerloop.core.plan.tracking import PLAN
from innerloop.core.shared.terminal import Failure, line, say
from innerloop.core.spool import bounds, store
from innerloop.tools import output
from innerloop.tools.disclosure import dpia, stored
from innerloop.tools.output import count, give, show_json

ABOUT_MARKS = {
    "Used": "sessions: their hours are use, and count as waiting nowhere",
    "Checks": "that one fails is information, and counts apart from what fails otherwise",
}


def describe(context: Context, as_json: bool, record: bool) -> int:
    """Print every field that this project collects, how exact, an example from here, and what stays off; or the record of processing."""
    state = resolve(context)
    if record:
        return dpia.write(state, as_json)
    current = state.current
    examples = events.examples(state, context)
    off = [name for name in PLAN.fields if name not in current["fields"]]
    if as_json:
        fields = [
            {**PLAN.fields[name].record, "granularity": exactness, "example": examples.get(name, PLAN.fields[name].example)}
            for name, exactness in current["fields"].items()
        ]
        document = {
            "project": state.project.id,
            "plan": digest(current),
            "fields": fields,
            "off": off,
            "cohorts": list(state.project.names.cohorts),
            "groups": list(state.project.names.groups),
            "sessions": list(state.project.marks.sessions),
            "checks": list(state.project.marks.checks),
            "changes": list(state.project.names.changes),
            "public_figures": state.project.public_figures,
        }
        show_json(document)
        return 0
    output.show(phrases.fold(f"{state.project.name} collects, from those who agreed (plan {digest(current)[:8]}):") + "\n")
    output.show(texts.field_table(current["fields"], examples))
    output.show("\n" + phrases.entry("Names", ", ".join(state.project.names.allow) or "none: every command is `other`"))
    if state.project.names.stems:
        output.show(phrases.entry("Stems", ", ".join(state.project.names.stems)))
    for text in texts.group_entries(current) + texts.public_entries(current) + texts.change_entries(state.project, current):
        output.show(text)
    for title, marked in (("Used", state.project.marks.sessions), ("Checks", state.project.marks.checks)):
        if marked:
            output.show(phrases.entry(title, f"{', '.join(marked)} ({ABOUT_MARKS[title]})"))
    if "cohort" in current["fields"]:
        output.show(texts.cohort_entry(state.project))
    output.show(phrases.entry("Never", "arguments, paths, output, environment, file or user names"))
    output.show(phrases.entry("Batch", "; ".join(f"{name}: {about}" for name, about, _ in PLAN.batch)))
    output.show(phrases.entry("Where", texts.destination(state.project)))
    output.show(phrases.entry("Off", ", ".join(off) or "none"))
    return 0


def show(context: Context, what: str, as_json: bool) -> int:
    """Print the next batch, what waits, or what left, byte for byte as on the wire; or what the collector keeps of this machine's ids."""
    state = resolve(context)
    if what == "stored":
        return _show_stored(state, context, as_json)
    spool = context.spool(state.key)
    if os.path.isdir(spool):
        seal.seal_finished(spool, state, context)
    if state.mode != ON and what != "sent" and store.ids(spool, "sealed"):
        say(f"# nothing leaves: {state.reason or 'you have not agreed'}")
    if what == "next":
        return _show_next(spool, state, context)
    found = _read(spool, "sealed" if what == "pending" else "sent")
    if as_json:
        give(b"[" + b",\n".join(message for one in found for message in one.events) + b"]\n")
        return 0
    for one in found:
        if what == "pending":
            say(f"# {one.name}: {_when(one.release, context.now())}")
        give(b"\n".join(one.events) + b"\n")
    if not found:
        say(_nothing(what, state))
    return 0


def _read(spool: str, place: str) -> "list[store.Sealed]":
    found = []
    for run_id in store.ids(spool, place):
        try:
            found.append(store.read_sealed(spool, run_id, place))
        except (ValueError, KeyError, FileNotFoundError):
            say(f"# {run_id}: damaged, left out")
    return sorted(found, key=lambda one: one.release)


def _when(release: float, now: float) -> str:
    minutes = (release - now) / 60
    return "leaves with the next delivery" if minutes <= 0 else f"leaves in {minutes:.0f} minutes at the earliest"


def _nothing(what: str, state: ConsentState) -> str:
    if what == "sent":
        return f"Nothing left in the last {bounds.KEEP_SENT // 86400} days."
    return "Nothing waits." if state.measures else f"Nothing waits, and nothing is recorded. {state.reason or 'See: innerloop status'}"


def _show_next(spool: str, state: ConsentState, context: Context) -> int:
    """Print the body of the batch that would be sent first, with the clock as it is now."""
    leaving = _read(spool, "sealed") if state.mode == ON else []
    clones = for_clones(context, {one.root for one in leaving}, state)
    leaving = [one for one in leaving if not batches.objection(one, state, clones[one.root])]
    first = next(batches.split(next(iter(batches.by_digest(leaving, clones)), [])), [])
    messages = [message for one in first for message in one.events]
    if not messages:
        say(_nothing("next", state))
        return 0
    say(f"# POST {state.project.endpoint}/v1/batch (gzip), {count(len(messages), 'event')}; sentAt is set when it is sent")
    give(
        http_client.body(messages, clones[first[0].root].digest, batches.unknown_ids(spool, state, messages, context.now()), context.now())
        + b"\n"
    )
    return 0


def _show_stored(state: ConsentState, context: Context, as_json: bool) -> int:
    """Ask the collector, showing it the secrets that were made with the ids here."""
    project = state.project
    identities = {user: secret for user, secret in state.identities(context.now()).items() if secret}
    if not identities:
        say(f"There is no id for {project.name} here, so nothing that {project.organisation} keeps can be identified as yours.")
        return 0
    if not context.reaches(project.endpoint):
        raise Failure(f"{project.endpoint_host} is the host's own address: run this on the host: innerloop show stored")
    found, problem = stored.kept(project.endpoint, project.write_key, identities)
    if found is None:
        raise Failure(f"{project.endpoint_host} did not say what it keeps ({problem}); try again later")
    if as_json:
        _give_stored(found)
        return 0
    for one in found.ids:
        say(line(_kept(one)))
        for row in sorted((row for row in found.rows if row.user == one["userId"]), key=lambda row: row.time):
            show_json(row.read()["row"], None)
    return 0


def _give_stored(found: stored.Kept) -> None:
    """Print one JSON document, a row at a time: together they may be more than fits into memory."""
    give(b'{"ids": ' + json.dumps(found.ids, indent=2).encode() + b', "rows": [')
    for number, row in enumerate(found.rows):
        give((b",\n" if number else b"\n") + json.dumps(row.read()).encode())
    give(b"\n]}\n")


def _kept(one: "dict[str, Any]") -> str:
    """One line about an id: what the collector keeps of it."""
    name = f"# {str(one['userId'])[:8]}...: "
    if one["state"] != "known":
        return name + ("nothing is known of it" if one["state"] == "unknown" else "the collector could not confirm that it is yours")
    text = name + f"{count(one['events'], 'record')}, {one['quarantined']} in quarantine"
    return text + (f", received {one['first_day']} to {one['last_day']}, gone after {one['gone_after']}" if one["events"] else "")
