"""`innerloop init --container`: what to mount so that a container shares this machine's answers. Writes nothing."""

import json
import os

from innerloop.core.consent.resolve import ConsentState, Context, resolve
from innerloop.core.shared import paths
from innerloop.core.shared.terminal import Failure, line, say
from innerloop.tools.output import show, show_json

FRAGMENT = """\
# Made by `innerloop init --container`, for compose.override.yaml, which is yours alone.
services:
  app: # the name of your service
    volumes:"""
MOUNT = """\
      - type: bind
        source: {source}
        target: {target}
        bind:
          create_host_path: false"""
SHARED = """
Shared with that container: {what}.
  {sources}
Of every project on this machine, not of {project} alone. Commands that are
measured there are recorded under your answer here, also those of root; whoever
is root there, or has your uid ({uid}), can read and change these files.
An answer that changes on one side counts on the other at once.
To undo this: remove these lines and recreate the container.
Nothing was written. docs/guides/containers.md describes the rest."""


def container(context: Context, as_json: bool) -> int:
    """Print the mounts as a compose fragment on stdout; say on stderr what they share and how to take it back."""
    if context.home.shared:
        raise Failure("this container shares the host's answer already; mounts are made from the host")
    state = resolve(context)
    mounts = _mounts(state, context)
    if as_json:
        document = [{"type": "bind", "source": source, "target": target} for source, target in mounts]
        show_json({"project": state.project.id, "uid": context.home.uid, "mounts": document})
    else:
        show(FRAGMENT)
        for source, target in mounts:
            show(MOUNT.format(source=json.dumps(source.replace("$", "$$")), target=target))
    sources = "\n  ".join(line(source) for source, _ in mounts)
    what = "your answers, and the records of your runs"
    say(SHARED.format(what=what, sources=sources, project=state.project.name, uid=context.home.uid))
    return 0


def _mounts(state: ConsentState, context: Context) -> "list[tuple[str, str]]":
    """The directories to share, each with its place in a container."""
    base = os.fsdecode(paths.MOUNT)
    if state.project.keeps_destination:
        directory = os.path.dirname(state.answer.path)
        answers = [(directory, f"{base}/seed/{os.path.basename(directory)}"), (context.config, f"{base}/config")]
    else:
        answers = [(context.config, f"{base}/config")]
    if not os.path.isdir(context.state) or not os.path.isdir(answers[0][0]):
        raise Failure("nobody answered for this project yet, so there is nothing to share; first: innerloop opt-in")
    found = [(context.state, f"{base}/state"), *answers]
    if os.path.exists(paths.MACHINE_FILE):
        found.append((os.fsdecode(paths.MACHINE_FILE), os.fsdecode(paths.MACHINE_FILE)))
    return [(source, target) for source, target in found if os.path.exists(source)]
