"""Where innerloop keeps its files (XDG base directories). Imports nothing; paths are bytes.

`STATE/hot/`      what the launcher must know, by project file (a cache: deleting it is always safe)
`STATE/asked`     on which days a project, or a change of it, was shown as an invitation or question
`STATE/enabled`   exists while a project here is measured; holds the directory of the innerloop command
`STATE/spool/K/`  the spool of one (organisation, project, endpoint)
`CONFIG/K.json`   the answer for one (organisation, project, endpoint)
"""

MACHINE_FILE = b"/etc/innerloop.toml"


def _base(env: "dict[bytes, bytes]", variable: bytes, default: bytes) -> bytes:
    value: bytes = env.get(variable, b"")
    if value.startswith(b"/"):  # the specification: relative values are ignored
        return value
    home = env.get(b"HOME", b"")
    return home + default if home.startswith(b"/") else b""


def state(env: "dict[bytes, bytes]") -> bytes:
    """The state directory, or b"" where the environment names no home."""
    base = _base(env, b"XDG_STATE_HOME", b"/.local/state")
    return base and base + b"/innerloop"


def config(env: "dict[bytes, bytes]") -> bytes:
    """The configuration directory, or b"" where the environment names no home."""
    base = _base(env, b"XDG_CONFIG_HOME", b"/.config")
    return base and base + b"/innerloop"
