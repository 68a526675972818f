"""Ask for consent, at a terminal and never elsewhere, and act on the answer."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Optional

from innerloop.core.asking import events, home_check
from innerloop.core.consent import answer as answers
from innerloop.core.consent import texts
from innerloop.core.consent.answer import LOCAL, NO, ON
from innerloop.core.consent.apply import set_enabled, settle, write_hot
from innerloop.core.consent.resolve import PAUSED, Resolution, State, asking_key, forbidden, resolve
from innerloop.core.outbound import seal
from innerloop.core.shared import environment, files, terminal
from innerloop.core.shared.terminal import Failure, say
from innerloop.core.spool import store

MOST_ASKED = 65536  # bytes
YES, KEEP, DETAILS, NOT_NOW = "yes", "keep", "?", "not now"
ANSWERS = {"y": YES, "yes": YES, "l": LOCAL, "local": LOCAL, "n": NO, "no": NO, "k": KEEP, "keep": KEEP, "?": DETAILS}
SEED_ANSWERS = {"y": YES, "yes": YES, "n": NO, "no": NO}  # as the founding system's own words say


def may_ask(state: Resolution, here: State) -> None:
    """Refuse where nobody may be asked. Raises Failure with the reason and what to do."""
    reason = forbidden(here) or state.expired
    if reason:
        raise Failure(f"you cannot agree to anything here: {reason}")
    if state.unusable:
        raise Failure(f"{state.unusable}; `{texts.opt_out_command(state.project)}` moves it aside, then try again")
    if not state.agents_may_answer and environment.by_agent(here.env):
        raise Failure("only a person can agree; a coding agent may not answer for them")
    if not state.testing and (mark := environment.ci_mark(here.env)):
        raise Failure(
            f"only a person at a terminal can agree; {mark.decode()} is set, so this looks like a CI job. If it is not one, set CI=false"
        )
    if not terminal.at_terminal():
        raise Failure("only a person can agree: run this at a terminal, with nothing piped in or out")


def opt_in(here: State, local: bool) -> int:
    """`innerloop opt-in`: show what is collected, ask, write the answer down."""
    state = resolve(here)
    started = time.time_ns()
    may_ask(state, here)
    if state.answer.decision == (LOCAL if local else ON) and state.mode in (ON, LOCAL):
        say(f"You agreed on {str(state.answer.consent.get('timestamp'))[:10]} already. Look: innerloop status")
        if state.mode == ON and "cohort" in state.agreement["fields"]:
            answers.name_cohort(state.answer, _ask_cohort(state))
            state = resolve(here)
        write_hot(state, here)
        return 0
    return talk(state, here, local, started)


def talk(state: Resolution, here: State, local: bool = False, started: int = 0, noted: bool = False) -> int:
    """Hold the dialogue that fits the state, and act on the answer. `noted`: that it was asked is written down already."""
    current = state.current
    if state.project.seed and not local:
        text = texts.seed_question(state)
        answer = SEED_ANSWERS.get(terminal.ask(text).lower(), NOT_NOW)
        say("")
    elif local:
        text = "Measure commands for yourself, on this machine? Nothing is sent. Type yes: "
        answer = LOCAL if terminal.ask(text).lower() in ("y", "yes", "l", "local") else NOT_NOW
    elif state.mode == PAUSED:
        text = texts.changed_question(state, current)
        answer = _read(text, state, here)
    else:
        table = texts.field_table(current["fields"], events.examples(state, here), why=False)
        say("\n".join([table, *map(texts.recipient_entry, state.project.recipients), ""]))
        text = texts.question(state)
        answer = _read(text, state, here)
    if answer == NOT_NOW and noted:
        say(texts.not_now(state.project))
        return 0
    cohort = state.answer.cohort if answer == KEEP else ""
    if answer == YES and "cohort" in current["fields"]:
        text += texts.cohort_question(state.project)
        cohort = _ask_cohort(state)
    return act(answer, state, here, text, started or time.time_ns(), cohort)


def _ask_cohort(state: Resolution) -> str:
    """Read what somebody who agreed says that they are; anything but an offered word is not said."""
    word = terminal.ask(texts.cohort_question(state.project)).lower()
    cohort = word if word in state.project.cohorts else ""
    say(f"Cohort: {cohort or 'not said'}.")
    return cohort


def _read(text: str, state: Resolution, here: State) -> str:
    """Read an answer; `?` shows the details and asks again."""
    while True:
        answer = ANSWERS.get(terminal.ask(text).lower(), NOT_NOW)
        if answer == KEEP and not (state.mode == PAUSED and state.changed and state.changed.can_keep):
            answer = NOT_NOW
        if answer != DETAILS:
            return answer
        say("\n" + texts.notice(state, events.examples(state, here)) + "\n")


def act(answer: str, state: Resolution, here: State, text: str, started: int, cohort: str = "") -> int:
    """Write an answer down and say what follows from it."""
    current = state.current
    if answer == NOT_NOW:
        note_asked(state, here)
        say(texts.not_now(state.project))
    elif answer == NO:
        answers.decline(state.answer)
        purge_all(here, state)
        after = settle(resolve(here), here)
        say(texts.declined(after))
    else:
        home_check.carries(here, state.key)
        agreed = state.answer.consent["agreement"] if answer == KEEP else current
        mode = LOCAL if answer == LOCAL else ON
        if state.measures and os.path.isdir(here.spool(state.key)):
            seal.seal_finished(here.spool(state.key), state, here)  # what was measured so far stays in the developer's own report
        given = answers.accept(state.answer, state.project, agreed, mode, text, state.testing, current)
        if state.project.seed and state.project.keeps_destination:
            files.remove(answers.place(answers.refusal_name(state.project.seed), here.home))
        if cohort:
            answers.name_cohort(given, cohort)
        after = settle(resolve(here), here)
        if answer == KEEP:
            note_asked(after, here)  # it was answered, though not with a yes: no other change asks soon
        say(texts.accepted(after))
        if after.mode != mode:
            say(texts.fold(f"Here and now it is {after.mode}: {after.reason}. See: innerloop status"))
        if note := home_check.note(here):
            say(texts.fold(note))
        if after.mode == ON:
            events.tell_opt_in(after, here, started)
    return 0


def note_asked(state: Resolution, here: State) -> None:
    """Remember that somebody was asked today. Holds no id and no clock time."""
    if state.testing:
        return
    files.private_directory(here.state)
    files.append_line(f"{here.state}/asked", f"{asking_key(state)} {int(time.time()) // 86400}".encode(), MOST_ASKED)
    write_hot(state, here)


@contextmanager
def _taken(spool: str, name: str) -> "Iterator[None]":
    """Take one of the spool's locks; end who holds it for longer than two seconds: a sender, or a command that seals.

    A sender asks for the answer before each request, and again and again during one. But a suspended one, or one that
    looks up a name, could go on later with what it had begun. Killed at any instant, none of them loses anything.
    """
    for attempt in range(40):
        with store.locked(spool, name, wait=False) as mine:
            if mine:
                yield
                return
        for process in store.holders(spool, name) if attempt >= 20 else ():
            with suppress(ProcessLookupError, PermissionError):  # it ended just then
                os.kill(process, signal.SIGKILL)
        time.sleep(0.1)
    yield


def purge_all(here: State, state: Resolution) -> int:
    """Purge every spool that this answer was used with: of earlier endpoints, and of CI jobs of the same user. Returns how many runs."""
    return sum(purge(here, key) for key in keys_of(here, state))


def keys_of(here: State, state: Resolution) -> "list[str]":
    """The spools that an answer was used with."""
    named = {key for key, about in known(here) if about["consent"] == answers.name_for(state.project)}
    return sorted({state.key, f"{state.key}-ci", *named})


def known(here: State) -> "list[tuple[str, dict[str, str]]]":
    """Every spool of this machine with what is known about it."""
    found = []
    directory = f"{here.state}/spool"
    for key in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        try:
            about = files.read_json(f"{directory}/{key}/about.json")
        except files.UnusableFile:
            about = None
        if about and isinstance(about.get("consent"), str) and isinstance(about.get("project"), str):
            found.append((key, about))
    return found


def purge(here: State, key: str) -> int:
    """Delete what was not sent; returns how many runs. Counts them in the ledger."""
    spool = here.spool(key)
    for link in store.links(spool):
        files.remove(link)
    if not os.path.isdir(spool):
        return 0
    with _taken(spool, "lock"), _taken(spool, "seal.lock"):
        unsent = store.purge(spool)
    set_enabled(here, key, on=False)
    return unsent


def opt_out_of(name: answers.Name, here: State, before: Optional[answers.Answer]) -> answers.Answer:
    """Write a no over whatever is there. An unusable file is moved aside first, or left where it may be another program's."""
    path = answers.place(name, here.home)
    system = answers.founding_system(name)
    if before is None:
        try:
            if aside := answers.set_aside(path, system):
                say(f"{path} could not be read; it is now {aside}")
        except files.UnusableFile as error:
            if system is None:
                raise
            say(f"{error}; your no is kept beside innerloop's own answers")
            path = answers.place(answers.refusal_name(system), here.home)
        before = answers.Answer(path, {})
    try:
        return answers.decline(before)
    except OSError as error:
        if error.errno not in files.FULL or not os.path.exists(path):
            raise
        return answers.decline_in_place(before)
