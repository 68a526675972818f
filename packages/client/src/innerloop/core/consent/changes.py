"""What changed since somebody agreed, told in the question that asks again: each change itself, not its kind."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from innerloop.core.consent import phrases
from innerloop.core.consent.phrases import EXACTNESS, PURPOSE, WIDTH, claimed, group_list, label, recipient_line
from innerloop.core.consent.resolve import ConsentState
from innerloop.core.plan.project import Recipient
from innerloop.core.plan.tracking import PLAN

WAS = {**EXACTNESS, "3digits": "to three digits", "week": "by the week"}


def changed_question(state: ConsentState, current: "dict[str, Any]") -> str:
    """The question after the project file changed what is collected."""
    project, change = state.project, state.changed
    assert change is not None
    agreed = state.answer.consent["agreement"]
    day = str(state.answer.consent.get("timestamp", ""))[:10]
    was, now = agreed["fields"], current["fields"]
    changes = [
        ("added", _list(_named(name, now) for name in change.added)),
        ("removed", _list(_named(name, was) for name in change.removed)),
        ("finer", _list(f"{_named(name, now)}, before {WAS.get(was[name], was[name])}" for name in change.finer)),
        ("coarser", _list(_named(name, now) for name in change.coarser)),
        ("added", f"names of no list as {group_list(change.groups)}" if change.groups else ""),
        *_changed_terms(agreed, current),
        ("now", f"sent to {project.endpoint_host} with another account's key" if "destination" in change.other else ""),
        ("same", f"{len((set(was) & set(now)) - {*change.finer, *change.coarser})} fields, the rest of what you agreed to"),
    ]
    keep = "    k/keep  only what I agreed to before" if change.can_keep else ""
    return "\n".join(
        [
            *textwrap.wrap(f"{claimed(project.name)} asks again: what you agreed to on {day} has changed.", WIDTH),
            "Nothing is recorded or sent until you answer.",
            *(
                textwrap.fill(text, WIDTH, initial_indent=f"  {title:<8} ", subsequent_indent=" " * 11, break_on_hyphens=False)
                for title, text in changes
                if text
            ),
            f"  y/yes  agree to the new list{keep}",
            "  n/no   stop                     ?       every field, with examples from here",
            "Your answer (Enter: not now, stays paused): ",
        ]
    )


def _named(name: str, fields: "dict[str, str]") -> str:
    return label(PLAN.fields[name], fields[name]) if name in PLAN.fields else name


def _list(texts: "Iterable[str]") -> str:
    return ", ".join(dict.fromkeys(texts))


def _changed_terms(agreed: "dict[str, Any]", current: "dict[str, Any]") -> "Iterator[tuple[str, str]]":
    """What differs besides the fields: what it is now and was before."""
    before, now = _terms(agreed), _terms(current)
    for about, text in now.items():
        if before.get(about, text) != text:
            yield "now", f"{about} {text}; before: {before[about]}"
    known, recipients = ({one[0]: recipient_line(Recipient(*one)) for one in terms.get("recipients", [])} for terms in (agreed, current))
    for name, text in recipients.items():
        if name not in known:
            yield "new", text
        elif text != known[name]:
            yield "now", f"{text}; before: {known[name]}"


def _terms(terms: "dict[str, Any]") -> "dict[str, str]":
    """What an agreement says besides its fields and recipients, in words: what it is about -> what is said of it."""
    said = {
        "project:": claimed(terms.get("project", "")),
        "who answers for it:": claimed(terms.get("organisation", "")),
        "why:": claimed(terms["purpose"]) if terms.get("purpose") else PURPOSE,
        "legal basis:": claimed(terms["legal_basis"]) if terms.get("legal_basis") else "nothing",
        "kept": f"{terms.get('retention_days')} days",
        "who sees published figures:": phrases.EVERYBODY if terms.get("public") else "those whom the organisation lets see them",
    }
    said.update({f"the field {name} is called": claimed(terms.get("rename", {}).get(name, name)) for name in PLAN.fields})
    said.update({f"the event {name} is called": claimed(terms.get("events", {}).get(name, name)) for name in PLAN.events})
    said.update({f"why {name}:": purpose for name, purpose in terms.get("purposes", {}).items()})
    return said
