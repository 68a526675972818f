"""`innerloop describe --dpia`: the record of processing (Art. 30 GDPR) and the facts of an impact assessment (Art. 35).

Everything is taken from the tracking plan, the project file and this program's own constants. What none of them says is
marked, never invented: an item is filled, or says who has to fill it.
"""

import re
import textwrap
from typing import Any, NamedTuple, Union

from innerloop import __version__
from innerloop.core.consent import phrases
from innerloop.core.consent.resolve import ConsentState
from innerloop.core.outbound import seal
from innerloop.core.plan.agreement import digest
from innerloop.core.plan.project import Project
from innerloop.core.plan.tracking import PLAN
from innerloop.core.spool import bounds, history
from innerloop.tools.disclosure.risks import encrypted, risks
from innerloop.tools.output import show, show_json

NOT_ADVICE = "Not legal advice: facts for those who decide, counsel and staff among them."
MISSING = "to be supplied by the controller"
UNKNOWN = "set on the collector, which this machine cannot look into: to be supplied by the controller"
DAY = 86400  # s
PEOPLE = ("employees, contractors and volunteers who run the project's commands and typed yes at a terminal", "their coding agents, marked")


class Item(NamedTuple):
    """One item of the record: a value or several, or a mark that says who has to supply it."""

    article: str
    title: str
    value: "Union[str, list[str]]"
    missing: bool = False


def write(state: ConsentState, as_json: bool) -> int:
    """Print the record and the facts, as Markdown or as JSON."""
    document = _document(state)
    if as_json:
        show_json(document)
    else:
        show(_markdown(document))
    return 0


def _document(state: ConsentState) -> "dict[str, Any]":
    return {
        "notice": NOT_ADVICE,
        "project": state.project.id,
        "name": state.project.name,
        "plan": digest(state.current),
        "innerloop": __version__,
        "record": [item._asdict() for item in record(state)],
        "assessment": [item._asdict() for item in assessment(state)],
        "fields": _fields(state),
        "risks": [risk._asdict() for risk in risks(state)],
    }


def _item(article: str, title: str, value: "Union[str, list[str]]", mark: str = MISSING) -> Item:
    """An item with its value, or with a mark where there is none."""
    return Item(article, title, value) if value else Item(article, title, mark, missing=True)


def record(state: ConsentState) -> "list[Item]":
    """Every item of Art. 30(1), in its order."""
    project, says = state.project, state.project.controller
    named = [f"{one.name}: {one.receives}{', ' + one.region if one.region else ''}" for one in project.recipients]
    named += (
        [f"{phrases.EVERYBODY}: published figures of groups of {phrases.GROUP} or more, and no record"] if project.public_figures else []
    )
    region = f", {project.region}" if project.region else ""
    return [
        _item("30(1)(a)", "Controller", says.get("name") or project.organisation),
        _item("30(1)(a)", "Address of the controller", says.get("address", "")),
        _item("30(1)(a)", "Contact", [text for text in (project.contact, project.notice_url) if text]),
        _item("30(1)(a)", "Joint controllers, where there are any", ""),
        _item("30(1)(a)", "Representative, where there is one", says.get("representative", "")),
        _item("30(1)(a)", "Data protection officer", says.get("dpo", "")),
        _item(
            "30(1)(b)", "Purposes", [project.wording.get("purpose", phrases.PURPOSE), *dict.fromkeys(state.current["purposes"].values())]
        ),
        _item(
            "30(1)(c)", "Categories of people", [*PEOPLE, *(["CI jobs that file and job let count, without an id"] if project.ci else [])]
        ),
        _item("30(1)(c)", "Categories of personal data", _categories(state)),
        _item("30(1)(d)", "Recipients", [f"the operator of the collector at {project.endpoint_host}{region}: single records", *named]),
        _item("30(1)(e)", "Transfers to third countries, with their safeguards", says.get("transfers", "")),
        _item("30(1)(f)", "Time limits for erasure", _limits(project)),
        _item("30(1)(g)", "Security measures on the developer's machine and on the way", _measures(project)),
        _item("30(1)(g)", "Security measures of the collector: access, encryption at rest, backups, logs", "", UNKNOWN),
        _item("30(1)(g)", "For how many weeks somebody must have been active to be counted in a report", "", UNKNOWN),
    ]


def _categories(state: ConsentState) -> "list[str]":
    found = []
    for category, about in (("interaction", "what was done"), ("technical", "with what")):
        names = [name for name in state.current["fields"] if PLAN.fields[name].category == category]
        found += [f"{category} data ({about}): {', '.join(names)}"] if names else []
    return [*found, "no special categories (Art. 9); never arguments, paths, output, environment, file or user names"]


def _limits(project: Project) -> "list[str]":
    return [
        f"on the collector: {project.retention_days} days, to the day",
        *(f"with {one.name}: {one.retention or MISSING}" for one in project.recipients),
        f"on the developer's machine: {bounds.OLDEST // DAY} days for what waits, {bounds.KEEP_SENT // DAY} for copies of what was sent",
        f"the developer's own history, which is never sent: {history.KEEP // DAY} days",
        f"what make's targets did, which the developer alone may look at: {bounds.KEEP_LOGS // DAY} days, {bounds.MOST_LOGS} runs at most",
        "by the developer, at any time: opt-out deletes what was not sent, forget what was",
    ]


def _measures(project: Project) -> "list[str]":
    way = "encrypted on the way (TLS)" if encrypted(project) else "not encrypted on the way: the address in the project file is http"
    last = " but one message that says so" if "previous_consent" in project.fields else ""
    return [
        f"nothing is recorded or sent before a typed yes, and nothing after a no{last}",
        "every event is held against the tracking plan, on the machine that sends it and by innerloop's own collector",
        "a random id for each project and address; no list says whose it is" if "userId" in project.fields else "no id is sent",
        "values are made as coarse as was agreed before they leave: see each field",
        "files of the developer alone (0700, 0600); others' files are not believed",
        f"sent in batches, {seal.DELAY[0] // 60} to {seal.DELAY[1] // 60} minutes or more after a run, unless the developer sends them now",
        "redirects are not followed",
        way,
        f"reports are about groups of {phrases.GROUP} or more; there is no view of one person but their own, on their own machine",
    ]


def assessment(state: ConsentState) -> "list[Item]":
    """What an impact assessment says besides the record, the fields and the risks."""
    project = state.project
    rights = "see every byte (show), stop (opt-out), erase (forget), a new id (reset-id); by the contact: access and complaint"
    return [
        _item("35(7)(a)", "The processing", f"what developers' commands were and how they ended, for plan {digest(state.current)[:8]}; see the record"),
        _item("35(7)(b)", "Legal basis", project.legal_basis),
        _item("35(7)(b)", "How consent is given", "typed at a terminal, never by a flag, a file or a program; a no is not transmitted; nothing works differently"),
        _item("35(7)(b)", "How people use their rights", rights),
        _item("35(7)(b)", "Why appraisal is excluded", "no figure is about one person, and the notice that is shown excludes appraisal and automated decisions"),
        _item("35(2)", "Advice of the data protection officer", ""),
        _item("35(9)", "Views of staff representatives, with the date", project.controller.get("staff_views", "")),
        _item("35(7)(d)", "Decision of the controller about the risks that remain, with the date", ""),
    ]  # fmt: skip


def _fields(state: ConsentState) -> "list[dict[str, str]]":
    """Necessity: each field that is on, why, what was considered instead, and its risk."""
    keys = ("purpose", "alternatives", "reader", "category", "risk", "expires")
    return [
        {"name": name, "exactness": exactness, **{key: PLAN.fields[name].record[key] for key in keys}}
        for name, exactness in state.current["fields"].items()
    ]


def _markdown(document: "dict[str, Any]") -> str:
    lines = [f"# Record of processing and facts of an impact assessment: {_plain(document['name'])}", ""]
    lines += [*_wrapped(document["notice"]), ""]
    lines += _wrapped(f"Project `{document['project']}`, plan `{document['plan'][:16]}`, innerloop {document['innerloop']}.")
    for title, key in (("Record of processing (Art. 30 GDPR)", "record"), ("Impact assessment (Art. 35 GDPR): facts", "assessment")):
        lines += ["", f"## {title}"]
        for item in document[key]:
            lines += ["", f"### {item['title']} (Art. {item['article']})", "", *_value(item)]
    lines += ["", "## Necessity: each field, and what was considered instead"]
    for field in document["fields"]:
        lines += ["", f"### {field['name']} ({field['exactness']})", ""]
        for title in ("purpose", "alternatives", "reader", "category", "risk", "expires"):
            lines += _wrapped(f"- {title}: {field[title]}", "  ")
    lines += ["", "## Risks, and what remains of them"]
    for risk in document["risks"]:
        lines += ["", *_wrapped(f"### {_plain(risk['who'][0].upper() + risk['who'][1:])}", width=400), ""]
        for title, key in (("harm", "what"), ("against it", "against"), ("remains", "remains")):
            lines += _wrapped(f"- {title}: {_plain(risk[key])}", "  ")
    return "\n".join(lines)


def _value(item: "dict[str, Any]") -> "list[str]":
    if item["missing"]:
        return _wrapped(f"**{item['value']}**")
    if isinstance(item["value"], str):
        return _wrapped(_plain(item["value"]))
    return [line for one in item["value"] for line in _wrapped(f"- {_plain(one)}", "  ")]


def _plain(text: str) -> str:
    """A text from the project file that Markdown cannot take for a link, code or HTML."""
    return re.sub(r"([\\<\[`])", r"\\\1", text)


def _wrapped(text: str, indent: str = "", width: int = phrases.WIDTH) -> "list[str]":
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
