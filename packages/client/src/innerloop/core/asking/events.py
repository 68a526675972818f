"""The events that consent itself makes in a seed project, and examples for a question."""

import json
import os
import uuid
from typing import Any, Optional

from innerloop.core.consent import phrases
from innerloop.core.consent.resolve import ConsentState, Context
from innerloop.core.outbound import event, seal
from innerloop.core.plan.granularity import instant
from innerloop.core.shared import git, programs
from innerloop.core.shared.container import container_mark
from innerloop.core.shared.names import LONGEST as LONGEST_NAME
from innerloop.core.shared.terminal import say
from innerloop.core.spool.facts import GitFacts, RunFacts, parse_git


def examples(state: ConsentState, context: Context) -> "dict[str, Any]":
    """What the fields would hold on this machine, where that is known without looking at anything private."""
    names = state.project.names
    moment = event.Moment(moment_facts(state, context, 0))
    return {
        "os": event.VALUES["os"](moment, ""),
        "arch": event.VALUES["arch"](moment, ""),
        "client": event.VALUES["client"](moment, ""),
        "in_container": container_mark(context.home) != b"",
        "command": phrases.claimed(names.allow[0][:LONGEST_NAME]) if names.allow else "other",
        **({"cohort": names.cohorts[0]} if names.cohorts else {}),
        **({"changes": list(names.changes[:1])} if names.changes else {}),
    }


def moment_facts(state: ConsentState, context: Context, started: float, git: "Optional[GitFacts]" = None) -> RunFacts:
    """An answer as a run that took no time."""
    return RunFacts(
        id=str(uuid.uuid4()), serial=state.answer.serial, digest=state.digest, mode=state.mode, name="other", local_name="",
        type="make", actor="human", test=state.testing or "no", root=state.path, wall=int(started * 1e9), awake=0, boot=0,
        container=container_mark(context.home) != b"", git=git,
    )  # fmt: skip


def tell_opt_in(state: ConsentState, context: Context, started: float) -> None:
    """Queue the event that says that a developer agreed, where the project's question announces it."""
    if "choice" not in state.agreement["fields"]:
        return
    print_sent(state, context, seal.seal_answer(context.spool(state.key), state, moment_facts(state, context, started, ask_git(context))))


def print_sent(state: ConsentState, context: Context, message: bytes) -> None:
    """In a seed project's tests: print the event as the founding system does, as the last thing."""
    if not state.testing:
        return
    document = json.loads(message)
    shown = {key: document[key] for key in ("event", "userId", "properties") if key in document}
    shown["sentAt"] = instant(context.now(), "exact")
    say("Send metrics info: " + json.dumps(shown))


def ask_git(context: Context) -> "Optional[GitFacts]":
    """Ask git about the checkout, as the launcher does, but wait for it: at most 5 s."""
    directory = os.fsencode(context.directory)
    env = git.environment_in(context.home, directory)
    argv = git.facts(env, directory, git.FACTS)
    said = programs.output(argv, context.directory, env, git.PATIENCE) if argv else None
    return parse_git(said.decode("utf-8", "replace")) if said else None
