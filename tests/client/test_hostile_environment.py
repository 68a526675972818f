"""Whatever the environment holds, a command runs as it would, and a command of innerloop ends in order."""

import os

import pytest

from tests.client.people import Developer

# Everything that the client decides something by.
VARIABLES = [
    "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PATH", "SHELL", "MAKELEVEL", "MAKEFLAGS", "MAKEFILES", "INNERLOOP_MODE",
    "INNERLOOP_CI", "INNERLOOP_PROBE", "__innerloop", "DO_NOT_TRACK", "CI", "AI_AGENT", "TERM_PROGRAM", "PAGER", "EDITOR", "NODE", "COLUMNS",
    "LINES", "TERM", "NO_COLOR", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "https_proxy", "NO_PROXY", "GIT_DIR", "GIT_CONFIG_COUNT",
    "UV_TOOL_DIR", "PIPX_HOME", "__PYVENV_LAUNCHER__", "PYTHONPATH", "PYTHONHOME", "KUBERNETES_SERVICE_HOST", "DEVSTACK_METRICS_TESTING",
]  # fmt: skip
VALUES = {
    "bytes": b"\xff\xfe\x80", "lines": b"/a\nmode on\nend\n", "long": b"/" + b"x" * 100_000, "a number": b"-99999999999999999999",
    "escapes": b"\x1b[2J\x1b]0;x\x07", "commands": b"%s%n$(touch evil)`touch evil`'\"; touch evil; #",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("variable", VARIABLES)
def test_no_value_of_a_variable_stands_in_the_way(agreed: Developer, variable: str) -> None:
    for name, value in VALUES.items():
        env: dict[str, str | None] = {variable: os.fsdecode(value)}
        done = agreed.run("/bin/echo", "hello", env=env)
        assert done == (0, "hello\n", ""), (name, done)
        done = agreed.innerloop("doctor", env=env)
        assert done.status in (0, 1), (name, done)
        assert "Traceback" not in done.err, (name, done.err)
        assert "\x1b" not in done.out + done.err, (name, done)
    assert not list(agreed.base.rglob("evil"))
    assert agreed.ledger()["adds_up"] is True
