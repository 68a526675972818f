"""The GNUmakefile that lets a make which is started as always be seen, and the two lines for a GNUmakefile that is there already.

GNU make reads `GNUmakefile` before `makefile` and `Makefile`; other makes do not know the name. For a colleague without
innerloop it looks for one file and does nothing else: no process, no output, also under --warn-undefined-variables
(`$(value)` of an undefined variable is silent). Pattern rules with an empty recipe keep catch-all rules of the project away
from both files, and cannot become the default goal. Completions ask make for its data base (`-p`) and would then offer both
files; there the rules have no recipe, which still keeps away most catch-alls ("Match-Anything Pattern Rules" in make's
manual). `.innerloop-list` is never exported: no shell takes such a name. The line that includes is literal because zsh's
completion follows only such.

A project whose Makefile starts make again where a GNUmakefile is there would start it for ever. `init` looks for that
(`owners`); what it could not see, or came later, the guard ends. A loop that keeps MAKELEVEL is known by it. One that hides
it needs a mark in the environment, which is set only where the text of the Makefile, or of what it includes first, could
hide it, or names this file; and before make 4.2, which cannot read a file, always.

Everything here but `gone` is a function of bytes: what was written is known by the text itself.
"""

import os
from typing import NamedTuple, Optional

NAME = "GNUmakefile"
OTHERS = ("makefile", "Makefile")  # in make's order
MARK = b"# innerloop 1:"
ANY_MARK = b"# innerloop "
LINE = b"/innerloop/attach.mk"
STATE = "$(if $(filter /%,$(value XDG_STATE_HOME)),$(value XDG_STATE_HOME),$(value HOME)/.local/state)"
# A path with blanks falls into words, of which none passes both filters: nothing is then read.
BLOCK = f"""\
# innerloop 1: shows how long targets take, to those who agreed on their own machine; for others it does nothing.
-include $(wildcard $(filter /%,$(filter %/innerloop/attach.mk,{STATE}/innerloop/attach.mk)))
"""
_HEAD = """\
# Made by `innerloop init`. It reads {name} as make would without this file; `innerloop init --uninstall` removes it.
ifeq (,$(findstring p,$(firstword -$(MAKEFLAGS))))
GNUmak%file: ;
%/innerloop/attach.mk: ;
else
GNUmak%file:
%/innerloop/attach.mk:
endif
"""
_LIST = "$(if $(word 2,$(MAKEFILE_LIST)),$(subst $(subst ,, )GNUmakefile,,$(MAKEFILE_LIST)))"
_READS = f"""\
.innerloop-list := {_LIST}
{BLOCK}MAKEFILE_LIST := $(.innerloop-list)
"""
_GUARD = """\
ifneq (,$(filter 24 25 26 27,$(MAKELEVEL))$(word 10,$(value __innerloop_again)))
$(error make starts itself for ever, because there is a GNUmakefile here; `innerloop init --uninstall` removes it)
endif
"""
# `$(MAKELEVEL)` by itself only looks. Ten files are enough: a project may include thousands.
_MARK = """\
.innerloop-text = $(foreach .innerloop-file,$(wildcard $(wordlist 1,10,$(MAKEFILE_LIST))),$(file <$(.innerloop-file)))
.innerloop-text := $(if $(filter 3.% 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)),MAKELEVEL,$(.innerloop-text))
.innerloop-text := $(subst $$(MAKELEVEL),,$(subst $${MAKELEVEL},,$(.innerloop-text)))
ifneq (,$(findstring GNUmakefile,$(.innerloop-text))$(findstring MAKELEVEL,$(.innerloop-text))$(value __innerloop_again))
export __innerloop_again := $(value __innerloop_again) x
endif
"""
# What stands before and behind `include NAME`, the newest first: what earlier versions wrote is known too.
FORMS = ((_HEAD + _GUARD + _READS, _MARK), (_HEAD + _READS, ""))
BOM = b"\xef\xbb\xbf"


class Detached(NamedTuple):
    """A GNUmakefile without our lines."""

    after: Optional[bytes]  # None: there is nothing left to keep the file for
    remark: str = ""  # what a person should know
    edited: bool = False  # lines of ours are left because somebody changed them


def whole(name: str) -> bytes:
    """A GNUmakefile for a directory where make would read `name`."""
    return _written(name)[0]


def _written(name: str) -> "list[bytes]":
    """A whole GNUmakefile as this version and those before it wrote it."""
    return [f"{before.replace('{name}', name)}include {name}\n{after}".encode() for before, after in FORMS]


def is_whole(data: bytes) -> bool:
    """Tell whether a file is ours from the first byte to the last, whatever git did to its line ends."""
    return bool(reads(data))


def reads(data: bytes) -> str:
    """The file that a GNUmakefile of ours reads; empty where it is not wholly ours."""
    return next((name for name in OTHERS if data.replace(b"\r\n", b"\n") in _written(name)), "")


def is_outdated(data: bytes) -> bool:
    """Tell whether an earlier version wrote a whole file."""
    return is_whole(data) and data.replace(b"\r\n", b"\n") != whole(reads(data))


def gone(directory: str, data: "Optional[bytes]") -> str:
    """What to say where the file that a GNUmakefile of ours reads is not there, so that make fails; else empty."""
    name = reads(data or b"")
    if not name or os.path.exists(os.path.join(directory, name)):
        return ""
    return f"the {NAME} reads {name}, which is gone, so make fails: `innerloop init --uninstall` removes it"


def is_attached(data: bytes) -> bool:
    """Tell whether the lines are in a GNUmakefile as we write them."""
    return BLOCK.encode() in data.replace(b"\r\n", b"\n")


def is_edited(data: bytes) -> bool:
    """Tell whether something of ours is in a file, but not as we write it."""
    return not is_attached(data) and any(line.startswith(ANY_MARK) or LINE in line for line in data.splitlines())


def attach(data: bytes) -> bytes:
    """Put our two lines at the top of a GNUmakefile, where nothing of it can be in the way: behind a mark of Unicode or a `#!` line."""
    at = len(BOM) if data.startswith(BOM) else 0
    end = data.find(b"\n")
    if data[at : at + 2] == b"#!" and end >= 0:
        at = end + 1
    return data[:at] + _block(data) + data[at:]


def _block(data: bytes) -> bytes:
    """Our two lines, with the line ends of a file."""
    first, end, _ = data.partition(b"\n")
    return BLOCK.encode().replace(b"\n", b"\r\n") if end and first.endswith(b"\r") else BLOCK.encode()


def detach(data: bytes) -> Detached:
    """Take our lines out of a GNUmakefile, and nothing else."""
    if is_whole(data):
        return Detached(None)
    for name in OTHERS:
        for before, after in FORMS:
            for end in ("\n", "\r\n"):
                ours, mark = (part.replace("{name}", name).replace("\n", end).encode() for part in (before, after))
                if ours in data:
                    left = data.replace(ours, b"", 1).replace(mark, b"", 1)
                    return Detached(left, f"it has other lines than ours, so it stays, and still reads {name}")
    for ours in (BLOCK.encode(), BLOCK.encode().replace(b"\n", b"\r\n")):
        data = data.replace(ours, b"", 1)
    if any(line.startswith(ANY_MARK) or LINE in line for line in data.splitlines()):
        return Detached(data, "somebody changed innerloop's lines in it: they stay; remove what names innerloop by hand", edited=True)
    return Detached(data)
