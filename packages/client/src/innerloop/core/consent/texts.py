"""Everything that is said about consent, in words. Plain ASCII, 80 columns, no colour: no answer is favoured.

A project file is untrusted: it may add some sentences of its own (`[wording]`), which are marked as the project's. What is
asked, the list of fields, the destination, the recipients, the retention, the risk, the ways out and the answers are
always generated here, and names that could be read as ours stand in quotation marks. A founding system's words come from
the registry that ships with the client (`plan/founding.py`) and are printed as they are.
"""

import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Callable, Optional

from innerloop.core.consent.answer import LOCAL
from innerloop.core.consent.resolve import ConsentState
from innerloop.core.plan.project import Project, Recipient
from innerloop.core.plan.tracking import PLAN, Field

WIDTH = 80
GROUP = 5  # the smallest group of people that a report shows
PURPOSE = "to find slow or failing commands and check that changes help"
MOST_LINES, MOST_WORDS = 18, 120
MOST_GROUPS = 3  # that the question itself names
EXACTNESS = {"minute": "to the minute", "second": "exact time", "exact": "exact time", "hour": "to the hour"}


def opt_in_command(project: Project) -> str:
    """The command that this project's developers type to agree."""
    return project.wording.get("opt_in_command", "innerloop opt-in")


def opt_out_command(project: Project) -> str:
    """The command that this project's developers type to leave."""
    return project.wording.get("opt_out_command", "innerloop opt-out")


def claimed(text: str) -> str:
    """What a project file says of itself, in the middle of our words: in quotation marks where it could be read as ours."""
    words = {word.lower() for word in re.split(r"[\W_]+", text) if word}
    name = len(words) <= PLAIN_WORDS and len(text) <= PLAIN_LENGTH and not _FOREIGN.search(text)
    plain = (name or _ADDRESS.fullmatch(text)) and not words & _TELLING
    return text if plain else in_quotes(text)


def in_quotes(text: str) -> str:
    """Words that are not ours, which cannot close the quotation marks themselves."""
    return '"' + text.replace('"', "'") + '"'


PLAIN_WORDS, PLAIN_LENGTH = 3, 40  # of a name that needs no quotation marks
_TELLING = frozenset(
    ["yes", "no", "y", "n", "l", "k", "local", "type", "enter", "answer", "press", "keep", "share", "never", "nothing", "agree", "refuse"]
)
_FOREIGN = re.compile(r"[^\w\s.,&@/:#'()+-]|_")
_ADDRESS = re.compile(r"[A-Za-z0-9.+-]+@[A-Za-z0-9.-]+|https?://[A-Za-z0-9./-]+")


def quoted(project: Project, words: str) -> str:
    """The project's own words, marked as such."""
    return fold(f"{claimed(project.name)} says: {in_quotes(words)}")


def label(field: Field, exactness: str) -> str:
    """How the question calls a field, with its granularity where that matters."""
    if field.type == "instant":
        return f"{field.label} ({EXACTNESS[exactness]})"
    if field.type == "commit_time":
        return "exact commit time" if exactness == "exact" else "commit week"
    return f"exact {field.label}" if exactness == "exact" and "3digits" in field.granularities else field.label


def labels(fields: "dict[str, str]") -> "list[str]":
    """The labels of fields that are on, each once, in the plan's order."""
    found = [label(PLAN.fields[name], exactness) for name, exactness in fields.items() if PLAN.fields[name].category == "interaction"]
    found += [label(PLAN.fields[name], exactness) for name, exactness in fields.items() if PLAN.fields[name].category != "interaction"]
    return list(dict.fromkeys(found))


def entry(title: str, text: str) -> str:
    """One titled paragraph of a question, wrapped under itself."""
    return textwrap.fill(text, WIDTH, initial_indent=f"{title:<7}", subsequent_indent=" " * 7, break_on_hyphens=False)


def fold(*lines: str) -> str:
    """Join lines, each wrapped to the width; a path or address is never broken."""
    return "\n".join(textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in "\n".join(lines).split("\n"))


def beside(first: str, second: str) -> str:
    """Two sentences in a line where they fit, else in two."""
    return f"{first} {second}" if len(first) + 1 + len(second) <= WIDTH else f"{fold(first)}\n{fold(second)}"


def place(project: Project, briefly: bool = False) -> str:
    """Where the data goes, and who gets it from there; or how many (`briefly`), where a list above names them."""
    names = "".join(f", and from there {claimed(recipient.name)} ({recipient.receives})" for recipient in project.recipients)
    if briefly and project.recipients:
        names = f", and from there {len(project.recipients)} more, listed above"
    region = f", {claimed(project.region)}" if project.region else ""
    return f"{project.endpoint_host}{names}{region}"


def destination(project: Project, briefly: bool = False) -> str:
    """Where the data goes, who gets it from there, and how long it is kept."""
    return f"{place(project, briefly)}; kept {project.retention_days} days"


def field_list(fields: "dict[str, str]") -> str:
    """All labels in one sentence."""
    return ", ".join(labels(fields))


def cohort_question(project: Project) -> str:
    """What is asked after a yes where the project file offers cohorts; nobody needs to answer it."""
    words = f"If you like, say which of these you are: {', '.join(project.cohorts)}."
    use = f"It then leaves with each record, and is shown only in groups of {GROUP} or more."
    return fold(words, use) + "\nOne of these words (Enter: rather not say): "


def cohort_entry(project: Project) -> str:
    """What the second layer and `describe` say about cohorts."""
    return entry(
        "Cohort",
        f"after a yes you may name one of: {', '.join(project.cohorts)}. You need not: then nothing is sent about it. A small one narrows "
        f"down who you can be, so it is shown in groups of {GROUP} or more only. Name another, or none: {opt_in_command(project)}",
    )


def group_list(groups: "Sequence[str]", most: int = 0) -> str:
    """Groups of names in the project's words, at most so many of them (0: all)."""
    shown = groups[:most] if most else groups
    return ", ".join(map(in_quotes, shown)) + (f" and {len(groups) - len(shown)} more, listed above" if len(shown) < len(groups) else "")


def group_entries(terms: "dict[str, Any]") -> "list[str]":
    """What the second layer and `describe` say about groups of names, where there are any."""
    about = "a name that is in no list, but of one of these groups, leaves as the group and never as itself: "
    return [entry("Groups", about + group_list(terms["groups"]))] if "groups" in terms else []


def question(state: ConsentState) -> str:
    """The question, on one screen. Names every field, or their number where the table above it does."""
    project, fields = state.project, state.agreement["fields"]
    groups = state.agreement.get("groups", [])
    grouped = f"; names of no list only as {group_list(groups, MOST_GROUPS)}" if groups else ""
    first = [label(PLAN.fields[name], exact) for name, exact in fields.items() if PLAN.fields[name].category == "interaction"]
    first = list(dict.fromkeys(first))
    shorter = [_some(fields, first[:most]) for most in range(min(5, len(first)), 0, -1)]
    for listed in (field_list(fields), *shorter):
        text = _question(project, listed + grouped)
        if _fits(text):
            return text
    counted = f"the {len(fields)} fields"
    text = _question(project, f"{counted} listed above{grouped}")
    if _fits(text):
        return text
    return _question(project, f"{counted}{f' and {len(groups)} groups of names' if groups else ''} listed above", briefly=True)


def _some(fields: "dict[str, str]", named: "list[str]") -> str:
    """These labels, and how many fields the table above has besides: it has a row for each of those that share a label."""
    others = sum(label(PLAN.fields[name], exact) not in named for name, exact in fields.items())
    return f"{', '.join(named)} and {others} more, listed above"


def _fits(text: str) -> bool:
    return len(text.splitlines()) <= MOST_LINES and len(text.split()) <= MOST_WORDS


def _question(project: Project, fields: str, briefly: bool = False) -> str:
    contact = " ".join(claimed(part) for part in (project.contact, project.notice_url) if part)
    purpose = f"{in_quotes(project.wording['purpose'])} (the project's words)" if "purpose" in project.wording else PURPOSE
    lines = [
        textwrap.fill(f"May {claimed(project.organisation)} measure how {claimed(project.name)} commands run on this machine?", WIDTH),
        "",
        entry("Why", purpose),
        entry("What", fields),
        entry("Never", "arguments, paths, output, environment, file or user names"),
        entry("Where", destination(project, briefly)),
        entry(
            "Seen",
            f"groups of {GROUP} or more. Single records carry a random id: pseudonymous, not anonymous, since their times can be compared with git",
        ),
        entry("Free", f"{claimed(project.name)} works the same; a no stays on this machine"),
        entry("Later", f"stop: {opt_out_command(project)}   erase: innerloop forget"),
        entry("Ask", contact or "no contact is named in innerloop.toml"),
        "",
        "  y/yes  share   l/local  only for yourself   n/no  never ask   ?  details",
        "Your answer (Enter: not now): ",
    ]
    return "\n".join(lines)


def changed_question(state: ConsentState, current: "dict[str, Any]") -> str:
    """The question after the project file changed what is collected. It names each change itself, not its kind."""
    project, change = state.project, state.changed
    if change is None:
        raise AssertionError("nothing changed")
    agreed = state.answer.consent.get("agreement", {})
    day = str(state.answer.consent.get("timestamp", ""))[:10]
    lines = textwrap.wrap(f"{claimed(project.name)} asks again: what you agreed to on {day} has changed.", WIDTH)
    lines.append("Nothing is recorded or sent until you answer.")
    was = agreed.get("fields", {})
    for title, texts in (
        ("added", [_named(name, current["fields"]) for name in change.added]),
        ("removed", [_named(name, was) for name in change.removed]),
        ("finer", [f"{_named(name, current['fields'])}, before {_exactness(name, was)}" for name in change.finer]),
        ("coarser", [_named(name, current["fields"]) for name in change.coarser]),
        ("added", [f"names of no list as {group_list(change.groups)}"] if change.groups else []),
    ):
        if texts:
            lines.append(_listed(title, ", ".join(dict.fromkeys(texts))))
    for name in change.other:
        lines += [_listed(title, text) for title, text in OTHER_CHANGES[name](project, agreed, current)]
    changed = {*change.finer, *change.coarser}
    lines.append(f"  same     {len((set(was) & set(current['fields'])) - changed)} fields, the rest of what you agreed to")
    keep = "    k/keep  only what I agreed to before" if change.can_keep else ""
    lines += [f"  y/yes  agree to the new list{keep}", "  n/no   stop                     ?       every field, with examples from here"]
    return "\n".join([*lines, "Your answer (Enter: not now, stays paused): "])


def _listed(title: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"  {title:<8} ", subsequent_indent=" " * 11, break_on_hyphens=False)


def _named(name: str, fields: "dict[str, str]") -> str:
    return label(PLAN.fields[name], fields[name]) if name in PLAN.fields else name


def _exactness(name: str, fields: "dict[str, str]") -> str:
    return {**EXACTNESS, "3digits": "to three digits", "week": "by the week"}.get(fields.get(name, ""), fields.get(name, "unknown"))


def recipient_line(recipient: Recipient) -> str:
    """Who gets what, where it goes with that, and how long it is kept there."""
    where = "".join(
        f", {text}"
        for text in (recipient.region and f"in {claimed(recipient.region)}", recipient.retention and f"kept {claimed(recipient.retention)}")
        if text
    )
    return f"{claimed(recipient.name)} gets {recipient.receives}{where}"


def recipient_entry(recipient: Recipient) -> str:
    """A recipient as a titled paragraph."""
    return entry("To", recipient_line(recipient))


Changes = Iterator["tuple[str, str]"]


def _new_recipients(_project: Project, agreed: "dict[str, Any]", current: "dict[str, Any]") -> "Changes":
    """Each recipient that is new or gets, or does, something else than before."""
    before = {one[0]: Recipient(*one) for one in agreed.get("recipients", [])}
    for recipient in (Recipient(*one) for one in current["recipients"]):
        if recipient.name not in before:
            yield "new", recipient_line(recipient)
        elif recipient != before[recipient.name]:
            yield "now", f"{recipient_line(recipient)}; before: {recipient_line(before[recipient.name])}"


def _purposes(_project: Project, agreed: "dict[str, Any]", current: "dict[str, Any]") -> "Changes":
    """The plan's own purpose of each field that serves another one than before."""
    for name, purpose in current["purposes"].items():
        if name in agreed.get("purposes", {}) and agreed["purposes"][name] != purpose:
            yield "why", f"{_named(name, current['fields'])}: {purpose}"


def _was(key: str, what: str, empty: str = "nothing") -> "Callable[[Project, dict[str, Any], dict[str, Any]], Changes]":
    """A change of one text: what it is now and was before."""

    def told(_project: Project, agreed: "dict[str, Any]", current: "dict[str, Any]") -> "Changes":
        now, before = str(current[key]), str(agreed.get(key, ""))
        yield "now", f"{what}: {claimed(now) if now else empty}; before: {claimed(before) if before else empty}"

    return told


def _names(key: str, what: str) -> "Callable[[Project, dict[str, Any], dict[str, Any]], Changes]":
    """A change of what things are called on the wire."""

    def told(_project: Project, agreed: "dict[str, Any]", current: "dict[str, Any]") -> "Changes":
        before = agreed.get(key, {})
        for name in {**before, **current[key]}:
            if before.get(name) != current[key].get(name):
                yield "now", f"the {what} {name} is called {claimed(current[key].get(name, name))}"

    return told


OTHER_CHANGES: "dict[str, Callable[[Project, dict[str, Any], dict[str, Any]], Changes]]" = {
    "recipients": _new_recipients,
    "purposes": _purposes,
    "retention_days": lambda _project, agreed, current: iter(
        [("now", f"kept {current['retention_days']} days; before: {agreed.get('retention_days')}")]
    ),
    "destination": lambda project, _agreed, _current: iter([("now", f"sent to {project.endpoint_host} with another account's key")]),
    "project": _was("project", "project"),
    "organisation": _was("organisation", "who answers for it"),
    "purpose": _was("purpose", "why", PURPOSE),
    "legal_basis": _was("legal_basis", "legal basis"),
    "rename": _names("rename", "field"),
    "events": _names("events", "event"),
}  # what a Difference may name besides fields -> how it is told: a title and what it says


def seed_question(state: ConsentState) -> str:
    """The question in seed mode: the founding system's own words, verbatim, around the generated list."""
    project = state.project
    lines = [
        textwrap.fill("Collected: " + field_list(state.agreement["fields"]), WIDTH),
        textwrap.fill("Sent to: " + destination(project), WIDTH),
    ]
    if project.seed and not project.keeps_destination:
        own = f"This is not where {project.seed.name}'s own metrics go; {claimed(project.organisation)} says that it answers for it."
        lines.append(textwrap.fill(own, WIDTH))
    return "\n".join([project.wording["question"], "", *lines, project.wording["answer_line"], ""])


def invitation(state: ConsentState) -> str:
    """What is printed, once, after a first success at a terminal."""
    project = state.project
    if project.seed:
        return project.wording["invitation"]
    name = claimed(project.name)
    if state.mode == "paused":
        first = beside(f"{name} asks again: what you agreed to has changed.", "Nothing is recorded.")
        return fold(first, f"Look and decide: {opt_in_command(project)}")
    own = [quoted(project, project.wording["invitation"])] if "invitation" in project.wording else []
    first = beside(f"{name}: may run times be measured?", "So far nothing is recorded.")
    return fold(first, *own, f"Look and decide: {opt_in_command(project)}   Never ask again: {opt_out_command(project)}")


def accepted(state: ConsentState) -> str:
    """What is said after a yes or `local`."""
    project = state.project
    if state.answer.decision == LOCAL:
        return fold(
            f"{claimed(project.name)} commands are measured for you, on this machine. Nothing is sent.",
            f"Look: innerloop report   Stop: {opt_out_command(project)}",
        )
    if project.seed:
        return project.wording["thanks"]
    own = [quoted(project, project.wording["thanks"])] if "thanks" in project.wording else []
    return fold(
        f"Thank you. {claimed(project.name)} commands are measured from now on, none from before.",
        *own,
        f"Look: innerloop show next   Change or stop: {opt_out_command(project)}",
        f"Your answer is kept in {state.answer.path}",
    )


def declined(state: ConsentState) -> str:
    """What is said after a no."""
    return f"Noted: no. Nothing is recorded and nobody was told. You will not be asked again.\nYour answer is kept in {state.answer.path}"


def not_now(project: Project) -> str:
    """What is said after anything that is no answer."""
    return fold(f"No answer, so nothing is recorded. When you like: {opt_in_command(project)}")


def stopped(project: Project, path: str, unsent: int, told: bool) -> str:
    """What is said after an opt-out. `told`: whether the project has leavers send one last message."""
    if project.seed:
        return project.wording["stopped"]
    silent = "One last message said so, as the question announced." if told else "No message was sent to say so."
    return fold(
        beside(f"{claimed(project.name)} commands are no longer measured.", silent),
        f"{unsent} unsent record{'s were' if unsent != 1 else ' was'} deleted here.",
        beside(
            f"What {claimed(project.organisation)} already has is kept for {project.retention_days} days.", "Erase it: innerloop forget"
        ),
        f"Your answer is kept in {path}",
        f"Start again: {opt_in_command(project)}",
    )


def notice(state: ConsentState, examples: "dict[str, Any]") -> str:
    """The second layer: every field with an example from here, and what else the law wants said."""
    project = state.project
    lines = [field_table(state.agreement["fields"], examples), ""]
    lines += textwrap.wrap("Commands that a coding agent runs for you count too, marked agent.", WIDTH)
    lines.append(
        entry(
            "Who",
            " ".join(
                [
                    f"{claimed(project.organisation)} answers for the data.",
                    *(claimed(one) for one in (project.contact, project.notice_url) if one),
                ]
            ),
        )
    )
    lines += group_entries(state.agreement)
    if "cohort" in state.agreement["fields"]:
        lines.append(cohort_entry(project))
    if project.legal_basis:
        lines.append(entry("Basis", claimed(project.legal_basis)))
    lines += map(recipient_entry, project.recipients)
    rights = (
        f"see what left: innerloop show sent. Erase it: innerloop forget. Object: {opt_out_command(project)}. You may ask the contact "
        "above for access and erasure too, and complain to an authority. Not used for appraisal; no automated decisions; nothing is sold."
    )
    change = "if more is asked for, measuring pauses until you answer; you are asked twice at most, half a year apart."
    lines += [
        entry("Rights", rights),
        entry("Change", change),
        fold(f"Source {os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))}"),
    ]
    if "previous_consent" in state.agreement["fields"]:
        lines.append(entry("Leave", "leaving sends one last message that says so."))
    if "legal_block" in project.wording:
        lines += [f"{claimed(project.name)} adds:", *(f"  | {line}" for line in project.wording["legal_block"].splitlines())]
    return "\n".join(lines)


def field_table(fields: "dict[str, str]", examples: "Optional[dict[str, Any]]" = None, why: bool = True) -> str:
    """One line for each field: name on the wire, how exact, an example, and (`why`) its purpose below."""
    rows = [("field", "exactness", "example", "")]
    for name, exactness in fields.items():
        field = PLAN.fields[name]
        example = (examples or {}).get(name, field.example)
        rows.append((name, exactness, str(example).lower() if isinstance(example, bool) else str(example), field.purpose))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = []
    for name, exactness, example, purpose in rows:
        indent = " " * (sum(widths) + 6)
        lines += textwrap.wrap(f"{name:<{widths[0]}}  {exactness:<{widths[1]}}  {example}", WIDTH, subsequent_indent=indent)
        lines += textwrap.wrap(purpose, WIDTH, initial_indent="    ", subsequent_indent="    ") if why and name != "field" else []
    return "\n".join(lines)
