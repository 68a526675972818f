"""Keep `STATE/attach.mk`: what a project's GNUmakefile includes while something on this machine is measured."""

import os

from innerloop.core.probe import place
from innerloop.core.shared import files

NAME = "attach.mk"


def problem(state: str, command: str) -> str:
    """Why make cannot be attached to here, or an empty string. `command` is the path of the innerloop command."""
    if not command:
        return "this innerloop is not installed as a command (it runs out of a checkout or a zip file)"
    for path in (state, command):
        if not place.PLAIN.fullmatch(path):
            return f"{path} has characters that make does not accept in a file's name"
    return ""


def text(state: str, command: str) -> str:
    """The file for one state directory and one innerloop command."""
    loader = globals()["__loader__"]  # also out of a zip file
    template: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), NAME))
    return template.decode().replace("@STATE@", state).replace("@COMMAND@", command)


def keep(state: str, command: str) -> None:
    """Write the file where it is not so already, or remove it where make cannot be attached to: without a command, by nobody."""
    path = f"{state}/{NAME}"
    if problem(state, command):
        files.remove(path)
        return
    wanted = text(state, command).encode()
    if files.read_if_sound(path) != wanted:
        files.write(path, wanted)
