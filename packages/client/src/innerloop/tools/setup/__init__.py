"""Setting a project up: finding its targets, and what `innerloop init` writes into a repository and takes out again.

Here: the words that its commands take.
"""

WAYS = ("makefile", "private", "hook", "none")
SHELLS = ("bash", "zsh", "fish")
