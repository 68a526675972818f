"""ClickHouse's HTTP protocol in front of the embedded engine: `python -m tests.store.front DIRECTORY [--port N] [--password WORD]`.

A process of its own, so that the real driver talks over real sockets to the real engine. It is no ClickHouse server: one node, no
users, no replication. What runs against it is an "HTTP driver test", not a cluster test.

It fails on request: POST a list of faults to /front/faults. Each names what it does (`do`), which SQL it meets (`match`, a
regular expression), how many times (`times`) and with which chance (`chance`, drawn from `seed`).
  cut before   the connection ends and nothing was executed
  cut after    the statement was executed and the connection ends instead of the answer
  error        500 with one of ClickHouse's errors, nothing was executed
  busy         503 without one, as a balancer answers
  slow         the answer comes `seconds` late
The process ends when its standard input does.
"""

import argparse
import base64
import email.parser
import email.policy
import json
import os
import queue
import random
import re
import socket
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

_TRANSPORT = {
    "query", "database", "session_id", "query_id", "compress", "decompress", "wait_end_of_query", "client_protocol_version",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "enable_http_compression", "role", "default_format",
}  # fmt: skip
_INSERT = re.compile(rb"\s*INSERT INTO (.+?) FORMAT Native\n", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"Code: (\d+)")


class Session:
    """A connection to the engine, with the settings that it has."""

    def __init__(self, path: Path) -> None:
        self._connection = chdb.connect(str(path))
        self._settings: dict[str, str] = {}
        self._database = "default"

    def prepare(self, database: str, settings: dict[str, str]) -> None:
        """Take over a request's database and settings, and forget those of the one before."""
        if database != self._database:
            self.run(f"USE `{database}`", {})
            self._database = database
        for name in self._settings.keys() - settings.keys():
            self.run(f"SET {name} = DEFAULT", {})
            self._settings.pop(name)
        for name, value in settings.items():
            if self._settings.get(name) != value:
                self.run(f"SET {name} = {_quoted(value)}", {})
                self._settings[name] = value

    def run(self, sql: str, parameters: dict[str, str]) -> bytes:
        """Run a statement and return its answer in the format that it names, else tab-separated."""
        answer: bytes = self._connection.query(sql, "TabSeparated", params=parameters).bytes() or b""
        return answer


class Fault:
    """Something that goes wrong a number of times."""

    def __init__(self, what: dict[str, Any]) -> None:
        self.action: str = what["do"]
        self.seconds: float = what.get("seconds", 0.5)
        self._match = re.compile(what.get("match", ""), re.DOTALL)
        self._times: int = what.get("times", 1)
        self._chance: float = what.get("chance", 1.0)
        self._random = random.Random(what.get("seed", 0))

    def strikes(self, sql: str) -> bool:
        """Tell whether it is the turn of this fault."""
        if not self._times or not self._match.search(sql) or self._random.random() >= self._chance:
            return False
        self._times -= 1
        return True


class Front(ThreadingHTTPServer):
    """The server, its sessions and its faults."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, store: Path, password: str | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.store = store
        self.expected = "Basic " + base64.b64encode(f"default:{password or ''}".encode()).decode()
        self.guarded = password is not None
        self.sessions: queue.SimpleQueue[Session] = queue.SimpleQueue()
        self.faults: list[Fault] = []
        self.struck = 0
        self.statements: list[str] = []
        self._guard = threading.Lock()

    def session(self) -> Session:
        """A session that nobody else uses."""
        try:
            return self.sessions.get_nowait()
        except queue.Empty:
            return Session(self.store)

    def fault(self, sql: str) -> Fault | None:
        """The fault that meets a statement."""
        with self._guard:
            self.statements.append(sql)
            found = next((fault for fault in self.faults if fault.strikes(sql)), None)
            self.struck += found is not None
            return found


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Front
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a health check, the tests' question, or a query in the address."""
        path = urlsplit(self.path).path
        if path == "/ping":
            self._answer(200, b"Ok.\n")
        elif path == "/front/state":
            self._answer(200, json.dumps({"struck": self.server.struck, "statements": self.server.statements}).encode())
        else:
            self._query(b"")

    def do_POST(self) -> None:
        """Run a statement, or take over faults."""
        body = self._body()
        if urlsplit(self.path).path == "/front/faults":
            self.server.faults = [Fault(what) for what in json.loads(body)]
            self.server.struck = 0
            self._answer(200, b"")
        else:
            self._query(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _query(self, body: bytes) -> None:
        if self.server.guarded and self.headers.get("Authorization") != self.server.expected:
            self._refuse(403, "Code: 516. DB::Exception: default: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)")
            return
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if self.headers.get("Content-Type", "").startswith("multipart/form-data"):
            fields |= _form(self.headers["Content-Type"], body)
            body = b""
        match = _INSERT.match(body)
        sql = match[0].decode() if match else "\n".join(part for part in (fields.get("query", ""), body.decode()) if part)
        fault = self.server.fault(sql)
        if fault is not None and self._spoil(fault):
            return
        try:
            answer = self._execute(sql, fields, body[match.end() :] if match else None)
        except RuntimeError as error:
            self._refuse(500, str(error))
            return
        if fault is not None and fault.action == "cut after":
            self._cut()
        else:
            self._answer(200, answer)

    def _spoil(self, fault: Fault) -> bool:
        """Do what a fault does before anything is executed, and tell whether nothing is to be executed."""
        if fault.action == "cut before":
            self._cut()
        elif fault.action == "error":
            self._refuse(
                500, "Code: 252. DB::Exception: Too many parts. Merges are processing significantly slower than inserts. (TOO_MANY_PARTS)"
            )
        elif fault.action == "busy":
            self._answer(503, b"no server is available")
        elif fault.action == "slow":
            time.sleep(fault.seconds)
        return fault.action in ("cut before", "error", "busy")

    def _execute(self, sql: str, fields: dict[str, str], native: bytes | None) -> bytes:
        settings = {name: value for name, value in fields.items() if name not in _TRANSPORT and not name.startswith("param_")}
        parameters = {name.removeprefix("param_"): value for name, value in fields.items() if name.startswith("param_")}
        session = self.server.session()
        try:
            session.prepare(fields.get("database", "default"), settings)
            if native is None:
                return session.run(sql, parameters)
            with tempfile.NamedTemporaryFile(suffix=".native") as file:
                file.write(native)
                file.flush()
                insert = sql.rstrip().removesuffix("FORMAT Native")
                return session.run(f"{insert} FROM INFILE {_quoted(file.name)} FORMAT Native", {})
        finally:
            self.server.sessions.put(session)

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"X-ClickHouse-Timezone": "UTC", "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: int, message: str) -> None:
        code = _CODE.search(message)
        self._answer(status, message.encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1002"})

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form."""
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    found = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(part.get_param("name", header="content-disposition"))] = content.decode()
    return found


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _end_with_the_tests() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--password")
    arguments = parser.parse_args()
    scratch = arguments.directory / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(scratch)
    front = Front(arguments.port, arguments.directory / "store", arguments.password)
    front.sessions.put(Session(front.store))
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    print(front.server_port, flush=True)
    front.serve_forever()


if __name__ == "__main__":
    main()
