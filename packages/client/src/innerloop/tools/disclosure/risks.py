"""What somebody could do with the data of a project, what stands against it, and what remains: the assessment's last part."""

from typing import NamedTuple

from innerloop.core.consent import phrases
from innerloop.core.consent.resolve import ConsentState
from innerloop.core.plan.project import Project

FOREIGN = "The key is not one of innerloop's own collector: what this service keeps of addresses and times is for it to say"


class Risk(NamedTuple):
    """What somebody could do with the data, what stands against it, and what remains."""

    who: str
    what: str
    against: str
    remains: str


def encrypted(project: Project) -> bool:
    """Whether what is sent is encrypted on the way."""
    return project.endpoint.startswith("https:")


def risks(state: ConsentState) -> "list[Risk]":
    """The risks of this project, with what remains of each."""
    project, fields = state.project, state.current["fields"]
    found = [*RISKS]
    kept = "Innerloop's own collector keeps no network address and no exact time of receipt" if project.key_is_ours else FOREIGN
    times = f"Start times are as exact as: {fields['start_time']}." if "start_time" in fields else "No start times are sent."
    found.insert(2, Risk(
        "the operator of the collector, or whoever seizes its disk",
        "joins single records with commit times, access logs or chat, and so finds whose they are",
        f"{times} {kept}; rows go after {project.retention_days} days.",
        "High. In simulations on real commit times, a week of starts to the hour led to the right one of 5 to 10 authors in 78 to 90 of "
        "100 cases, four weeks in 91 to 100, to the minute in more. What protects is who may read rows, and a short retention.",
    ))  # fmt: skip
    who = ", ".join(one.name for one in project.recipients)
    found.append(Risk(
        f"recipients besides the organisation ({who})" if who else "recipients besides the organisation",
        "see when and from where data arrives, and join it with what other customers send them",
        "the question names each with what it gets; without a stated choice that is group totals",
        "Medium: what they keep is theirs to say, and erasure there may not be provable." if who else "None: the project file names none.",
    ))  # fmt: skip
    if project.public_figures:
        found.append(Risk(
            "anybody in the world",
            "compares published figures with what else is known of the project, now or in years",
            f"figures are published once, by rules that hold against comparing them, of groups of {phrases.GROUP} or more",
            "Medium: nothing that was published can be taken back, also not by an erasure.",
        ))  # fmt: skip
    found.append(Risk(
        "somebody who watches the network",
        "learns from the times of packets when a developer worked",
        "batches, sent a random time later; " + ("encrypted on the way" if encrypted(project) else "not encrypted on the way"),
        "Low: a sender is seen, and little of what it did when." if encrypted(project) else "High where the way leaves the machine: content can be read.",
    ))  # fmt: skip
    if "cohort" in fields:
        found.append(Risk(
            "whoever reads rows or reports by cohort",
            "narrows down who a record can be about, since a cohort may have few members",
            f"nobody needs to name one; figures are shown in groups of {phrases.GROUP} or more; the word can be taken back",
            f"Medium, high where a cohort has fewer than {phrases.GROUP} members: {', '.join(project.names.cohorts)}.",
        ))  # fmt: skip
    if "changes" in fields:
        found.append(Risk(
            "whoever reads rows and the repository's history",
            "narrows down whose a record is by a change that only a few checkouts have yet, or that was committed to one branch only",
            "at most a handful of changes are open at a time, each is listed in the project file, and no view of one person exists",
            "Medium, high for changes that few checkouts have. What protects is who may read rows, and closing changes when they were judged.",
        ))  # fmt: skip
    return found


RISKS = (
    Risk(
        "a manager or lead",
        "singles out a person by a rare command, system or hour, and judges them by it",
        f"no view of one person; figures of groups of {phrases.GROUP} or more; small cells are hidden, and those they could be computed from",
        "Medium in a small project: whoever knows who takes part may guess. Group figures can put pressure on a group too.",
    ),
    Risk(
        "a colleague who may read reports",
        "compares figures from before and after somebody joined or left",
        "fixed windows, and no filter that leads to fewer people",
        "Low to medium: patient reading over many weeks narrows down.",
    ),
    Risk(
        "a repository that means harm",
        "claims a known organisation, asks for more, or hides text",
        "an answer holds for one organisation, project and address; the list is generated; the real host is shown; nothing beyond the plan can be asked for",
        "Low: somebody may agree without reading where it goes.",
    ),
    Risk(
        "another user of the developer's machine, or malware there",
        "reads the queue, the history or the id",
        "files are the developer's alone; arguments and paths are not in what is sent",
        "Medium: what runs as the developer sees their shell anyway; the local history holds names as typed.",
    ),
    Risk(
        "whoever has the write key, which is committed",
        "adds made-up events, or tries to read or erase those of others",
        "the key can add and nothing else; erasure needs a secret of the machine; an id counts after weeks of activity, by default three",
        "Low for people, medium for the figures: they can be falsified by somebody patient.",
    ),
    Risk(
        "the organisation as an employer",
        "is thought to expect a yes, so that consent is not free",
        "a no or a silence is known on that machine only; nothing works differently; no list of who answered exists",
        "Depends on how people are asked, which software cannot see.",
    ),
)
