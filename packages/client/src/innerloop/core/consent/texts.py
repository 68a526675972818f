"""Everything that is said about consent. No answer is favoured.

A project file is untrusted: it may add some sentences of its own (`[wording]`), which are marked as the project's. What is
asked, the list of fields, the destination, the recipients, the retention, the risk, the ways out and the answers are
always generated here, and names that could be read as ours stand in quotation marks. A founding system's words come from
the registry that ships with the client (`plan/founding.py`) and are printed as they are.
"""

import os
import textwrap
from typing import Any, Optional

from innerloop.core.consent import phrases
from innerloop.core.consent.answer import LOCAL
from innerloop.core.consent.phrases import WIDTH, beside, claimed, entry, fold, opt_in_command, opt_out_command, quoted
from innerloop.core.consent.resolve import ConsentState
from innerloop.core.plan.project import Project
from innerloop.core.plan.tracking import PLAN

MOST_LINES, MOST_WORDS, MOST_NAMED = 18, 120, 5  # of a question; fields of it that are named where not all of them fit
MOST_GROUPS = 3  # that the question itself names


OPEN = ", whose figures are open to everybody"


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


def cohort_question(project: Project) -> str:
    """What is asked after a yes where the project file offers cohorts; nobody needs to answer it."""
    words = f"If you like, say which of these you are: {', '.join(project.names.cohorts)}."
    use = f"It then leaves with each record, and is shown only in groups of {phrases.GROUP} or more."
    return fold(words, use) + "\nOne of these words (Enter: rather not say): "


def cohort_entry(project: Project) -> str:
    """What the second layer and `describe` say about cohorts."""
    return entry(
        "Cohort",
        f"after a yes you may name one of: {', '.join(project.names.cohorts)}. You need not: then nothing is sent about it. A small one narrows "
        f"down who you can be, so it is shown in groups of {phrases.GROUP} or more only. Name another, or none: {opt_in_command(project)}",
    )


def group_entries(terms: "dict[str, Any]") -> "list[str]":
    """What the second layer and `describe` say about groups of names, where there are any."""
    about = "a name that is in no list, but of one of these groups, leaves as the group and never as itself: "
    return [entry("Groups", about + phrases.group_list(terms["groups"]))] if "groups" in terms else []


def change_entries(project: Project, terms: "dict[str, Any]") -> "list[str]":
    """What the second layer and `describe` say about changes, where a run tells them."""
    if "changes" not in terms["fields"]:
        return []
    about = f"changes that the project follows: {', '.join(project.names.changes) or 'none now'}. A run says which of them your checkout has, so "
    return [entry("Open", about + "whether innerloop-changes/NAME.toml is there. No other name is looked for, and no file is read.")]


def public_entries(terms: "dict[str, Any]") -> "list[str]":
    """What the second layer and `describe` say where published figures are open to everybody."""
    about = (
        f"the figures of groups of {phrases.GROUP} or more that the collector publishes are for {phrases.EVERYBODY}: anybody may copy and keep "
        "them. What was published stays published, also after an erasure. Single records are not published."
    )
    return [entry("Public", about)] if terms.get("public") else []


def question(state: ConsentState) -> str:
    """The question, on one screen. Names every field, or their number where the table above it does."""
    project, fields = state.project, state.agreement["fields"]
    groups = state.agreement.get("groups", [])
    grouped = f"; names of no list only as {phrases.group_list(groups, MOST_GROUPS)}" if groups else ""
    first = phrases.labels({name: exact for name, exact in fields.items() if PLAN.fields[name].category == "interaction"})
    some = [_some(fields, first[:most]) for most in range(min(MOST_NAMED, len(first)), 0, -1)]
    number = f"the {len(fields)} fields"
    for listed in (", ".join(phrases.labels(fields)), *some, f"{number} listed above"):
        text = _question(project, listed + grouped)
        if len(text.splitlines()) <= MOST_LINES and len(text.split()) <= MOST_WORDS:
            return text
    return _question(project, f"{number}{f' and {len(groups)} groups of names' if groups else ''} listed above", briefly=True)


def _some(fields: "dict[str, str]", named: "list[str]") -> str:
    """These labels, and how many fields the table above has besides: it has a row for each of those that share a label."""
    others = sum(phrases.label(PLAN.fields[name], exact) not in named for name, exact in fields.items())
    return f"{', '.join(named)} and {others} more, listed above"


def _question(project: Project, fields: str, briefly: bool = False) -> str:
    contact = " ".join(claimed(part) for part in (project.contact, project.notice_url) if part)
    purpose = f"{phrases.in_quotes(project.wording['purpose'])} (the project's words)" if "purpose" in project.wording else phrases.PURPOSE
    lines = [
        textwrap.fill(f"May {claimed(project.organisation)} measure how {claimed(project.name)} commands run on this machine?", WIDTH),
        "",
        entry("Why", purpose),
        entry("What", fields),
        entry("Never", "arguments, paths, output, environment, file or user names"),
        entry("Where", destination(project, briefly)),
        entry(
            "Seen",
            f"groups of {phrases.GROUP} or more{OPEN if project.public_figures else ''}. Single records carry a random id: pseudonymous, not anonymous, since their times can be compared with git",
        ),
        entry("Free", f"{claimed(project.name)} works the same; a no stays on this machine"),
        entry("Later", f"stop: {opt_out_command(project)}   erase: innerloop forget"),
        entry("Ask", contact or "no contact is named in innerloop.toml"),
        "",
        "  y/yes  share   l/local  only for yourself   n/no  never ask   ?  details",
        "Your answer (Enter: not now): ",
    ]
    return "\n".join(lines)


def seed_question(state: ConsentState) -> str:
    """The question in seed mode: the founding system's own words, verbatim, around the generated list."""
    project = state.project
    lines = ["Collected: " + ", ".join(phrases.labels(state.agreement["fields"])), "Sent to: " + destination(project)]
    if project.public_figures:
        lines.append(f"Figures of groups of {phrases.GROUP} or more are published, for {phrases.EVERYBODY}.")
    if project.seed and not project.keeps_destination:
        lines.append(
            f"This is not where {project.seed.name}'s own metrics go; {claimed(project.organisation)} says that it answers for it."
        )
    return "\n".join([project.wording["question"], "", *(textwrap.fill(one, WIDTH) for one in lines), project.wording["answer_line"], ""])


def invitation(state: ConsentState) -> str:
    """What is printed, once, after a first success at a terminal."""
    project = state.project
    if project.seed:
        return project.wording["invitation"]
    name = claimed(project.name)
    if state.mode == "paused":
        first = beside(f"{name} asks again: what you agreed to has changed.", "Nothing is recorded.")
        return fold(first, f"Look and decide: {opt_in_command(project)}")
    first = beside(f"{name}: may run times be measured?", "So far nothing is recorded.")
    return fold(
        first, *quoted(project, "invitation"), f"Look and decide: {opt_in_command(project)}   Never ask again: {opt_out_command(project)}"
    )


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
    return fold(
        f"Thank you. {claimed(project.name)} commands are measured from now on, none from before.",
        *quoted(project, "thanks"),
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
    contact = [claimed(one) for one in (project.contact, project.notice_url) if one]
    lines = [field_table(state.agreement["fields"], examples), ""]
    lines += textwrap.wrap("Commands that a coding agent runs for you count too, marked agent.", WIDTH)
    lines.append(entry("Who", " ".join([f"{claimed(project.organisation)} answers for the data.", *contact])))
    lines += [*group_entries(state.agreement), *public_entries(state.agreement)]
    if "cohort" in state.agreement["fields"]:
        lines.append(cohort_entry(project))
    lines += change_entries(project, state.agreement)
    if project.legal_basis:
        lines.append(entry("Basis", claimed(project.legal_basis)))
    lines += map(phrases.recipient_entry, project.recipients)
    rights = (
        f"see what left: innerloop show sent. Erase it: innerloop forget. Object: {opt_out_command(project)}. You may ask the contact "
        "above for access and erasure too, and complain to an authority. Not used for appraisal; no automated decisions; nothing is sold."
    )
    change = "if more is asked for, measuring pauses until you answer; you are asked twice at most, half a year apart."
    source = f"Source {os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))}"
    lines += [entry("Rights", rights), entry("Change", change), fold(source)]
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
        rows.append((name, exactness, _shown(example), field.purpose))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = []
    for name, exactness, example, purpose in rows:
        indent = " " * (sum(widths) + 6)
        lines += textwrap.wrap(f"{name:<{widths[0]}}  {exactness:<{widths[1]}}  {example}", WIDTH, subsequent_indent=indent)
        lines += textwrap.wrap(purpose, WIDTH, initial_indent="    ", subsequent_indent="    ") if why and name != "field" else []
    return "\n".join(lines)


def _shown(example: Any) -> str:
    if isinstance(example, list):
        return ", ".join(example) or "none"
    return str(example).lower() if isinstance(example, bool) else str(example)
