"""How git is asked. What it finds in a checkout may be somebody else's, its configuration above all.

A configuration can name programs: to fetch what is missing, to look at the working tree, to page, as hooks. Only plumbing is
asked, which starts none of them, and the environment says so once more: no protocol, no fetching, no hook, no lock, no
prompt. What the caller's environment says to git (GIT_DIR, GIT_CONFIG_*, GIT_TRACE*) is not for us: it may speak of another
repository. The user's own configuration counts, as ever: it says which directories of other owners are safe.
"""

import posix

from innerloop.core.shared import paths, programs

PATIENCE = 5  # s that git may take for its facts, and of processor time each of its processes
SETTINGS = {
    b"GIT_ALLOW_PROTOCOL": b"",  # none at all; git 2.3.10 and later, so each that can fetch by itself
    b"GIT_NO_LAZY_FETCH": b"1",  # git 2.39.4 and later
    b"GIT_OPTIONAL_LOCKS": b"0",
    b"GIT_TERMINAL_PROMPT": b"0",
    b"GIT_TRACE2": b"0", b"GIT_TRACE2_EVENT": b"0", b"GIT_TRACE2_PERF": b"0",  # nor is it told to the user's trace files
}  # fmt: skip
WORDS = (b"--no-pager", b"-c", b"core.fsmonitor=false", b"-c", b"core.hooksPath=/dev/null")

# $1 is git, $2 sleep, the rest are words for git. Of the commit only when it was committed is kept: its message is anybody's.
_BEGIN = b"""unset PWD OLDPWD
ulimit -t 5
ulimit -v 4194304 2>/dev/null
git=$1 sleep=$2
shift 2
"""
_ASK = b"""
"$git" "$@" cat-file commit HEAD | while IFS= read -r line; do
    case $line in
        '') break ;;
        'committer '*) printf 'commit %s\\n' "${line##*> }"; break ;;
    esac
done
printf 'head %s\\n' "$("$git" "$@" symbolic-ref -q HEAD)"
printf 'default %s\\n' "$("$git" "$@" symbolic-ref -q refs/remotes/origin/HEAD)"
"""
FACTS = _BEGIN + _ASK
# Where nobody waits: whatever hangs is ended in time, and the one that sees to it is ended with the rest.
ALONE = _BEGIN + b'{ "$sleep" 5 && kill -s KILL -- -$$; } &' + _ASK + b"kill -s KILL -- -$$\n"


def environment(env: "dict[bytes, bytes]", safe: bytes = b"") -> "dict[bytes, bytes]":
    """The environment that git is asked in. `safe` is a checkout to read whoever owns it."""
    said = {b"GIT_CONFIG_COUNT": b"1", b"GIT_CONFIG_KEY_0": b"safe.directory", b"GIT_CONFIG_VALUE_0": safe} if safe else {}
    return {**programs.environment(env), **SETTINGS, **said}


def environment_in(home: "paths.Home", directory: bytes) -> "dict[bytes, bytes]":
    """The environment to ask in about a directory: behind the mount, a checkout may belong to another user than git runs as."""
    return environment(home.env, checkout(directory) if home.shared else b"")


def facts(env: "dict[bytes, bytes]", project: bytes, script: bytes) -> "list[bytes]":
    """The command that prints git's facts about the working directory by one of our scripts; empty where there is no git."""
    git, sleep = programs.find(b"git", env, project), programs.find(b"sleep", env, project)
    return [b"/bin/sh", b"-c", script, b"sh", git, sleep, *WORDS] if git and sleep else []


def ask(words: "list[bytes]", directory: str, env: "dict[bytes, bytes]", patience: float = PATIENCE) -> "bytes | None":
    """What git prints in a directory, or None where there is no git, it fails or takes too long. `env` is of `environment`."""
    import os  # noqa: PLC0415 (the launcher imports this module, and never calls this)

    git = programs.find(b"git", env, os.fsencode(directory))
    return programs.output([git, *WORDS, *words], directory, env, patience) if git else None


def checkout(directory: bytes) -> bytes:
    """The top of the checkout around a directory, or b""."""
    while True:
        try:
            posix.lstat(directory.rstrip(b"/") + b"/.git")
        except OSError:
            if not directory.strip(b"/"):
                return b""
            directory = directory.rpartition(b"/")[0] or b"/"
            continue
        return directory
