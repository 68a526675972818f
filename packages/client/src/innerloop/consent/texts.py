"""Everything that is said about consent, in words. Plain ASCII, 80 columns, no colour: no answer is favoured.

A project file may replace some sentences (`[wording]`); the list of fields, the destination, the recipients,
the retention, the risk, the ways out and the answers are always generated here.

May import: the standard library, the plan, and this package.
"""

import os
import textwrap
from typing import Any, Optional

from innerloop.consent.answer import LOCAL
from innerloop.consent.resolve import Resolution
from innerloop.plan.project import Project
from innerloop.plan.tracking import PLAN, Field

WIDTH = 80
GROUP = 5  # the smallest group of people that a report shows
PURPOSE = "to find slow or failing commands and check that changes help"
MOST_LINES, MOST_WORDS = 18, 120
EXACTNESS = {"minute": "to the minute", "second": "exact time", "exact": "exact time", "hour": "to the hour"}


def opt_in_command(project: Project) -> str:
    """The command that this project's developers type to agree."""
    return project.wording.get("opt_in_command", "innerloop opt-in")


def opt_out_command(project: Project) -> str:
    """The command that this project's developers type to leave."""
    return project.wording.get("opt_out_command", "innerloop opt-out")


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


def place(project: Project) -> str:
    """Where the data goes, and who gets it from there."""
    names = "".join(f", and from there {recipient.name} ({recipient.receives})" for recipient in project.recipients)
    region = f", {project.region}" if project.region else ""
    return f"{project.endpoint_host}{names}{region}"


def destination(project: Project) -> str:
    """Where the data goes, who gets it from there, and how long it is kept."""
    return f"{place(project)}; kept {project.retention_days} days"


def field_list(fields: "dict[str, str]") -> str:
    """All labels in one sentence."""
    return ", ".join(labels(fields))


def cohort_question(project: Project) -> str:
    """What is asked after a yes where the project file offers cohorts; nobody needs to answer it."""
    words = f"You may name what you are, and need not: {', '.join(project.cohorts)}."
    use = f"It would leave with each record, and is shown in groups of {GROUP} or more only."
    return fold(words, use) + "\nOne of these words (Enter: rather not say): "


def cohort_entry(project: Project) -> str:
    """What the second layer and `describe` say about cohorts."""
    return entry(
        "Cohort",
        f"after a yes you may name one of: {', '.join(project.cohorts)}. You need not: then nothing is sent about it. A small one narrows "
        f"down who you can be, so it is shown in groups of {GROUP} or more only. Name another, or none: {opt_in_command(project)}",
    )


def question(state: Resolution) -> str:
    """The question, on one screen. Names every field, or their number where the table above it does."""
    project, fields = state.project, state.agreement["fields"]
    first = [label(PLAN.fields[name], exact) for name, exact in fields.items() if PLAN.fields[name].category == "interaction"]
    first = list(dict.fromkeys(first))
    shorter = [_some(fields, first[:most]) for most in range(min(5, len(first)), 0, -1)]
    for listed in (field_list(fields), *shorter):
        text = _question(project, listed)
        if _fits(text):
            return text
    return _question(project, f"the {len(fields)} fields listed above")


def _some(fields: "dict[str, str]", named: "list[str]") -> str:
    """These labels, and how many fields the table above has besides: it has a row for each of those that share a label."""
    others = sum(label(PLAN.fields[name], exact) not in named for name, exact in fields.items())
    return f"{', '.join(named)} and {others} more, listed above"


def _fits(text: str) -> bool:
    return len(text.splitlines()) <= MOST_LINES and len(text.split()) <= MOST_WORDS


def _question(project: Project, fields: str) -> str:
    contact = " ".join(part for part in (project.contact, project.notice_url) if part) or "no contact is named in innerloop.toml"
    lines = [
        textwrap.fill(f"May {project.organisation} measure how {project.name} commands run on this machine?", WIDTH),
        "",
        entry("Why", project.wording.get("purpose", PURPOSE)),
        entry("What", fields),
        entry("Never", "arguments, paths, output, environment, file or user names"),
        entry("Where", destination(project)),
        entry(
            "Seen",
            f"groups of {GROUP} or more. Single records carry a random id: pseudonymous, not anonymous, since their times can be compared with git",
        ),
        entry("Free", f"{project.name} works the same; a no stays on this machine"),
        entry("Later", f"stop: {opt_out_command(project)}   erase: innerloop forget"),
        entry("Ask", contact),
        "",
        "  yes  share   local  only for yourself   no  never ask   ?  details, examples",
        "Your answer (Enter: not now): ",
    ]
    return "\n".join(lines)


def changed_question(state: Resolution, current: "dict[str, Any]") -> str:
    """The question after the project file changed what is collected."""
    project, change = state.project, state.changed
    if change is None:
        raise AssertionError("nothing changed")
    day = str(state.answer.consent.get("timestamp", ""))[:10]
    parts = [("added", change.added), ("removed", change.removed), ("changed", change.finer + change.coarser), ("other", change.other)]
    lines = textwrap.wrap(f"{project.name} asks again: what you agreed to on {day} has changed.", WIDTH)
    lines.append("Nothing is recorded or sent until you answer.")
    for title, names in parts:
        if names:
            text = ", ".join(dict.fromkeys(_describe_change(name, current) for name in names))
            lines.append(textwrap.fill(text, WIDTH, initial_indent=f"  {title:<9}", subsequent_indent=" " * 11))
    changed = {*change.finer, *change.coarser}
    same = len((set(state.answer.consent.get("agreement", {}).get("fields", {})) & set(current["fields"])) - changed)
    lines.append(f"  same     {same} fields, the rest of what you agreed to")
    keep = "    keep  only what I agreed to before" if change.can_keep else ""
    lines += [f"  yes  agree to the new list{keep}", "  no   stop                     ?     every field, with examples from here"]
    return "\n".join([*lines, "Your answer (Enter: not now, stays paused): "])


CHANGES = {"retention_days": "how long it is kept", "destination": "where it goes", "purpose": "the purpose", "recipients": "who gets it"}


def _describe_change(name: str, current: "dict[str, Any]") -> str:
    if name in current["fields"]:
        return label(PLAN.fields[name], current["fields"][name])
    return PLAN.fields[name].label if name in PLAN.fields else CHANGES.get(name, name.replace("_", " "))


def seed_question(state: Resolution) -> str:
    """The question in seed mode: the project's own words, verbatim, around the generated list."""
    wording = state.project.wording
    lines = [
        textwrap.fill("Collected: " + field_list(state.agreement["fields"]), WIDTH),
        textwrap.fill("Sent to: " + destination(state.project), WIDTH),
    ]
    return "\n".join([wording.get("question", ""), "", *lines, "", wording.get("answer_line", "Type 'yes' or 'y'"), ""])


def invitation(state: Resolution) -> str:
    """What is printed, once, after a first success at a terminal."""
    project = state.project
    if project.seed and "invitation" in project.wording:
        return project.wording["invitation"]
    first = project.wording.get("invitation", beside(f"{project.name}: may run times be measured?", "So far nothing is recorded."))
    if state.mode == "paused":
        first = beside(f"{project.name} asks again: what you agreed to has changed.", "Nothing is recorded.")
        return fold(first, f"Look and decide: {opt_in_command(project)}")
    return fold(first, f"Look and decide: {opt_in_command(project)}   Never ask again: {opt_out_command(project)}")


def accepted(state: Resolution) -> str:
    """What is said after a yes or `local`."""
    project = state.project
    if state.answer.decision == LOCAL:
        return fold(
            f"{project.name} commands are measured for you, on this machine. Nothing is sent.",
            f"Look: innerloop report   Stop: {opt_out_command(project)}",
        )
    if project.seed and "thanks" in project.wording:
        return project.wording["thanks"]
    thanks = project.wording.get("thanks", "Thank you.")
    return fold(
        f"{thanks} {project.name} commands are measured from now on, none from before.",
        f"Look: innerloop show next   Change or stop: {opt_out_command(project)}",
        f"Your answer is kept in {state.answer.path}",
    )


def declined(state: Resolution) -> str:
    """What is said after a no."""
    return f"Noted: no. Nothing is recorded and nobody was told. You will not be asked again.\nYour answer is kept in {state.answer.path}"


def not_now(project: Project) -> str:
    """What is said after anything that is no answer."""
    return fold(f"No answer, so nothing is recorded. When you like: {opt_in_command(project)}")


def stopped(project: Project, path: str, unsent: int, told: bool) -> str:
    """What is said after an opt-out. `told`: whether the project has leavers send one last message."""
    if project.seed and "stopped" in project.wording:
        return project.wording["stopped"]
    silent = "One last message said so, as the question announced." if told else "No message was sent to say so."
    return fold(
        beside(f"{project.name} commands are no longer measured.", silent),
        f"{unsent} unsent record{'s were' if unsent != 1 else ' was'} deleted here.",
        beside(f"What {project.organisation} already has is kept for {project.retention_days} days.", "Erase it: innerloop forget"),
        f"Your answer is kept in {path}",
        f"Start again: {opt_in_command(project)}",
    )


def notice(state: Resolution) -> str:
    """The second layer: every field, and what else the law wants said."""
    project = state.project
    lines = [field_table(state.agreement["fields"]), ""]
    lines += textwrap.wrap("Commands that a coding agent runs for you count too, marked agent.", WIDTH)
    lines.append(entry("Who", f"{project.organisation} answers for the data. {project.contact} {project.notice_url}".strip()))
    if "cohort" in state.agreement["fields"]:
        lines.append(cohort_entry(project))
    if project.legal_basis:
        lines.append(entry("Basis", project.legal_basis))
    for recipient in project.recipients:
        where = ", ".join(part for part in (recipient.region, recipient.retention) if part)
        lines.append(entry("To", f"{recipient.name}: {recipient.receives}{'; ' + where if where else ''}"))
    rights = (
        f"see what left: innerloop show sent. Erase it: innerloop forget. Object: {opt_out_command(project)}. You may ask the contact "
        "above for access and erasure too, and complain to an authority. Not used for appraisal; no automated decisions; nothing is sold."
    )
    change = "if more is asked for, measuring pauses until you answered; you are asked twice at most, half a year apart."
    lines += [
        entry("Rights", rights),
        entry("Change", change),
        fold(f"Source {os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}"),
    ]
    if "previous_consent" in state.agreement["fields"]:
        lines.append(entry("Leave", "leaving sends one last message that says so."))
    if "legal_block" in project.wording:
        lines += ["", *project.wording["legal_block"].splitlines()[:25]]
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
