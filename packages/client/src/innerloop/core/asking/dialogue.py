"""Ask for consent, at a terminal and never elsewhere, and act on the answer."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from innerloop.core.asking import events, home_check
from innerloop.core.consent import answer as answers
from innerloop.core.consent import changes, phrases, places, texts
from innerloop.core.consent.answer import LOCAL, NO, ON
from innerloop.core.consent.apply import apply, set_enabled, write_cache
from innerloop.core.consent.resolve import PAUSED, ConsentState, Context, asking_key, forbidden, resolve
from innerloop.core.outbound import seal
from innerloop.core.shared import cache, environment, files, terminal
from innerloop.core.shared.terminal import Failure, say
from innerloop.core.spool import entries, layout, store

MOST_ASKED = 65536  # bytes
YES, KEEP, DETAILS, NOT_NOW = "yes", "keep", "?", "not now"
ANSWERS = {"y": YES, "yes": YES, "l": LOCAL, "local": LOCAL, "n": NO, "no": NO, "k": KEEP, "keep": KEEP, "?": DETAILS}
SEED_ANSWERS = {"y": YES, "yes": YES, "n": NO, "no": NO}  # as the founding system's own words say


def may_ask(state: ConsentState, context: Context) -> None:
    """Refuse where nobody may be asked. Raises Failure with the reason and what to do."""
    reason = forbidden(context) or state.expired
    if reason:
        raise Failure(f"you cannot agree to anything here: {reason}")
    if state.unusable:
        raise Failure(f"{state.unusable}; `{phrases.opt_out_command(state.project)}` moves it aside, then try again")
    if not state.agents_may_answer and environment.by_agent(context.env):
        raise Failure("only a person can agree; a coding agent may not answer for them")
    if not state.testing and (mark := environment.ci_mark(context.env)):
        raise Failure(
            f"only a person at a terminal can agree; {mark.decode()} is set, so this looks like a CI job. If it is not one, set CI=false"
        )
    if not cache.at_terminal():
        raise Failure("only a person can agree: run this at a terminal, with nothing piped in or out")


def opt_in(context: Context, local: bool) -> int:
    """`innerloop opt-in`: show what is collected, ask, write the answer down."""
    state = resolve(context)
    started = context.now()
    may_ask(state, context)
    if state.answer.decision == (LOCAL if local else ON) and state.mode in (ON, LOCAL):
        say(f"You agreed on {str(state.answer.consent.get('timestamp'))[:10]} already. Look: innerloop status")
        if state.mode == ON and "cohort" in state.agreement["fields"]:
            answers.name_cohort(state.answer, _ask_cohort(state))
            state = resolve(context)
        write_cache(state, context)
        return 0
    return talk(state, context, local, started)


def talk(state: ConsentState, context: Context, local: bool = False, started: float = 0, noted: bool = False) -> int:
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
        text = changes.changed_question(state, current)
        answer = _read(text, state, context)
    else:
        table = texts.field_table(current["fields"], events.examples(state, context), why=False)
        entries = texts.group_entries(current) + texts.public_entries(current) + texts.change_entries(state.project, current)
        say("\n".join([table, *entries, *map(phrases.recipient_entry, state.project.recipients), ""]))
        text = texts.question(state)
        answer = _read(text, state, context)
    if answer == NOT_NOW and noted:
        say(texts.not_now(state.project))
        return 0
    cohort = state.answer.cohort if answer == KEEP else ""
    if answer == YES and "cohort" in current["fields"]:
        text += texts.cohort_question(state.project)
        cohort = _ask_cohort(state)
    return act(answer, state, context, text, started or context.now(), cohort)


def _ask_cohort(state: ConsentState) -> str:
    """Read what somebody who agreed says that they are; anything but an offered word is not said."""
    word = terminal.ask(texts.cohort_question(state.project)).lower()
    cohort = word if word in state.project.names.cohorts else ""
    say(f"Cohort: {cohort or 'not said'}.")
    return cohort


def _read(text: str, state: ConsentState, context: Context) -> str:
    """Read an answer; `?` shows the details and asks again."""
    while True:
        answer = ANSWERS.get(terminal.ask(text).lower(), NOT_NOW)
        if answer == KEEP and not (state.mode == PAUSED and state.changed and state.changed.can_keep):
            answer = NOT_NOW
        if answer != DETAILS:
            return answer
        say("\n" + texts.notice(state, events.examples(state, context)) + "\n")


def act(answer: str, state: ConsentState, context: Context, text: str, started: float, cohort: str = "") -> int:
    """Write an answer down and say what follows from it."""
    current = state.current
    if answer == NOT_NOW:
        note_asked(state, context)
        say(texts.not_now(state.project))
    elif answer == NO:
        answers.decline(state.answer, context.now())
        purge_all(context, state)
        after = apply(resolve(context), context)
        say(texts.declined(after))
    else:
        home_check.carries(context, state.key)
        agreed = state.answer.consent["agreement"] if answer == KEEP else current
        mode = LOCAL if answer == LOCAL else ON
        if state.measures and os.path.isdir(context.spool(state.key)):
            seal.seal_finished(context.spool(state.key), state, context)  # what was measured so far stays in the developer's own report
        given = answers.accept(state.answer, state.project, agreed, mode, text, state.testing, current, context.now())
        if state.project.seed and state.project.keeps_destination:
            files.remove(places.place(places.refusal_name(state.project.seed), context.home))
        if cohort:
            answers.name_cohort(given, cohort)
        after = apply(resolve(context), context)
        if answer == KEEP:
            note_asked(after, context)  # it was answered, though not with a yes: no other change asks soon
        say(texts.accepted(after))
        if after.mode != mode:
            say(phrases.fold(f"Here and now it is {after.mode}: {after.reason}. See: innerloop status"))
        if note := home_check.note(context):
            say(phrases.fold(note))
        if after.mode == ON:
            events.tell_opt_in(after, context, started)
    return 0


def note_asked(state: ConsentState, context: Context) -> None:
    """Remember that somebody was asked today. Holds no id and no clock time."""
    if state.testing:
        return
    files.private_directory(context.state)
    files.append_line(f"{context.state}/asked", f"{asking_key(state)} {context.today}".encode(), MOST_ASKED)
    write_cache(state, context)


@contextmanager
def _taken(spool: str, name: str) -> "Iterator[None]":
    """Take one of the spool's locks; end who holds it for longer than two seconds: a sender, or a command that seals.

    A sender asks for the answer before each request, and again and again during one. But a suspended one, or one that
    looks up a name, could go on later with what it had begun. Killed at any instant, none of them loses anything.
    """
    for attempt in range(40):
        with layout.locked(spool, name, wait=False) as mine:
            if mine:
                yield
                return
        for process in layout.holders(spool, name) if attempt >= 20 else ():
            with suppress(ProcessLookupError, PermissionError):  # it ended just then
                os.kill(process, signal.SIGKILL)
        time.sleep(0.1)
    yield


def purge_all(context: Context, state: ConsentState) -> int:
    """Purge every spool that this answer was used with: of earlier endpoints, and of CI jobs of the same user. Returns how many runs."""
    return sum(purge(context, key) for key in keys_of(context, state))


def keys_of(context: Context, state: ConsentState) -> "list[str]":
    """The spools that an answer was used with."""
    named = {key for key, about in known(context) if about["consent"] == places.name_for(state.project)}
    return sorted({state.key, f"{state.key}-ci", *named})


def known(context: Context) -> "list[tuple[str, dict[str, str]]]":
    """Every spool of this machine with what is known about it."""
    found = []
    for key in entries.spools(context.state):
        about = files.json_if_sound(f"{context.spool(key)}/about.json")
        if isinstance(about.get("consent"), str) and isinstance(about.get("project"), str):
            found.append((key, about))
    return found


def purge(context: Context, key: str) -> int:
    """Delete what was not sent; returns how many runs. Counts them in the ledger."""
    spool = context.spool(key)
    for link in layout.links(spool):
        files.remove(link)
    if not os.path.isdir(spool):
        return 0
    with _taken(spool, "lock"), _taken(spool, "seal.lock"):
        unsent = store.purge(spool, context.now())
    set_enabled(context, key, on=False)
    return unsent


def opt_out_of(name: places.Name, context: Context) -> answers.Answer:
    """Write a no over whatever is there. An unusable file is moved aside first, or left where it may be another program's."""
    path, system = places.place(name, context.home), places.founding_system(name)
    before = answers.load_if_sound(path)
    if before is None:
        try:
            if aside := places.set_aside(path, system):
                say(f"{path} could not be read; it is now {aside}")
        except files.UnusableFile as error:
            if system is None:
                raise
            say(f"{error}; your no is kept beside innerloop's own answers")
            path = places.place(places.refusal_name(system), context.home)
        before = answers.Answer(path, {})
    return answers.decline(before, context.now())
