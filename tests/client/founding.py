"""Developers of devstack, whose endpoint is reached through a CONNECT proxy, as from behind a company's.

The proxy's certificate authority is one that the developer's machine trusts; it leads to a recording server on this machine.
"""

import contextlib
import json
import re
import shutil
import socket
import ssl
from pathlib import Path
from typing import Any

import trustme

from tests.client.people import Developer, Said
from tests.client.recorder import Recorder
from tests.conftest import ROOT

HOST = "api.segment.io"


# The write key in devstack's own script, which is public and good for sending alone. A yes to that script counts for no other
# key, so the tests name it; every client here reaches HOST through the proxy below, which leads to this machine.
KEY = "MUymmyrKDLk6JVwtkveX6OHVKMhpApou"


ANSWER_LINE = "leaving sends one last message."


OLD_YES: dict[str, Any] = {
    "anonymous_user_id": "11111111-2222-4333-8444-555555555555", "consent": {"decision": True, "timestamp": "2021-03-04T05:06:07.089+00:00"}
}  # fmt: skip


OLD_NO = {"consent": {"decision": False, "timestamp": "2021-03-04T05:06:07.089+00:00"}}


MAKEFILE = """\
.PHONY: %
metrics-opt-in:
	@./send_metrics.py opt-in
metrics-opt-out:
	@./send_metrics.py opt-out
dev.up.%:
	@./send_metrics.py wrap "dev.up.$*"
impl-dev.up.lms:
	@echo "up lms"
impl-dev.up.studio:
	@sleep 0.4
impl-dev.up.fails:
	@exit 3
dev.pull.%:
	@./send_metrics.py wrap "dev.pull.$*"
impl-dev.pull.redis:
	@$(MAKE) --no-print-directory dev.up.lms
impl-dev.pull.lms:
	@kill -TERM $$PPID; sleep 5
dev.provision:
	@./send_metrics.py wrap dev.provision
impl-dev.provision:
	@cat
"""


class ProxiedRecorder(Recorder):
    """A recording server that stands for HOST behind a CONNECT proxy, and refuses to lead anywhere else."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.refused: list[bytes] = []  # requests to the proxy for another host
        authority = trustme.CA()
        self.authority = directory / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)
        accept = self._server.get_request

        def get_request() -> Any:
            connection, address = accept()
            connection.settimeout(10)
            line = self._connect(connection)
            connection.settimeout(None)
            return context.wrap_socket(connection, server_side=True) if line else connection, address

        self._server.get_request = get_request  # type: ignore[method-assign]

    def _connect(self, connection: socket.socket) -> bool:
        """Read a CONNECT and answer it. Raises OSError, which the server takes as no connection, where it is for another host."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                raise OSError("hung up")
            head += byte
        if not head.startswith(f"CONNECT {HOST}:443 ".encode()):
            self.refused.append(head)
            with contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 403 no\r\nConnection: close\r\n\r\n")
            connection.close()
            raise OSError("another host")
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return True

    @property
    def environment(self) -> dict[str, str]:
        """What leads a developer's clients through the proxy."""
        return {"https_proxy": self.url, "HTTPS_PROXY": self.url, "SSL_CERT_FILE": str(self.authority)}


class Devstack:
    """A developer of devstack, with the files that devstack keeps where it keeps them."""

    def __init__(self, developer: Developer, server: ProxiedRecorder, name: str = "devstack") -> None:
        self.developer = developer
        developer.env |= server.environment
        self.directory = developer.directory = developer.base / name
        self.directory.mkdir()
        for file in ("innerloop.toml", "send_metrics.py"):
            shutil.copy(ROOT / "examples" / "devstack" / file, self.directory)
        (self.directory / "send_metrics.py").chmod(0o755)
        (self.directory / "Makefile").write_text(MAKEFILE)
        self.edit("devstack.to-be-created", KEY)
        self.config = developer.home / ".config" / "devstack" / "metrics.json"
        self.clone()

    def edit(self, old: str, new: str) -> None:
        """Change the project file."""
        file = self.directory / "innerloop.toml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def clone(self) -> None:
        git = self.developer.git
        git("init", "-q", "-b", "master")
        git("remote", "add", "origin", "https://github.com/openedx/devstack.git")
        git("add", "-A")
        git("commit", "-q", "-m", "x", GIT_COMMITTER_DATE="2021-02-03T04:05:06+0530", GIT_AUTHOR_DATE="2020-01-01T00:00:00+0000")

    def make(self, *words: str, types: str | None = None, after: str = ANSWER_LINE, env: Any = None) -> Said:
        """Type a make command at a terminal."""
        return self.developer.at_terminal(
            "make", "--no-print-directory", *words, types=[] if types is None else [(re.escape(after), types)], env=env
        )

    def opt_in(self, answer: str = "yes", env: Any = None) -> Said:
        return self.make("metrics-opt-in", types=answer, env=env)

    def remember(self, document: Any) -> None:
        """As the old script left it."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps(document))

    @property
    def answer(self) -> Any:
        return json.loads(self.config.read_text())

    def pending(self) -> list[dict[str, Any]]:
        return self.developer.pending()


RUN = {"command", "command_type", "duration_ms", "exit_status", "start_time", "is_test"}


GIT = {"git_commit_time", "git_checked_out_master"}
