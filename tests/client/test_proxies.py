"""The developer's network as it is: proxies as curl reads them, addresses that swallow everything, names that are not found."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from innerloop.core.outbound import connection, proxies
from tests.client.people import Developer
from tests.client.recorder import Recorder, Reply

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def queued(agreed: Developer) -> Developer:
    agreed.run("make", "test")
    return agreed


# which proxy


@pytest.mark.parametrize(
    ("patterns", "spared"),
    [
        ("", False), ("*", True), ("example.org, *", True), ("127.0.0.1", True), ("127.0.0.0/8", True), ("127.0.0.9/8", True), ("10.0.0.0/8", False),
        ("10.0.0.0/8 127.0.0.1", True), (",127.0.0.1,", True), ("127.0.0.1:1", False), ("127.0.0.0/99", False), ("0.0.1", False), (".0.0.1", False), ("127", False),
        ("localhost", False), ("::ffff:127.0.0.1", True), ("[::1]", False), ("0.0.0.0/0", True), ("::/0", False),
    ],
)  # fmt: skip
def test_no_proxy_is_read_as_curl_reads_it(queued: Developer, server: Recorder, patterns: str, spared: bool) -> None:
    done = queued.flush(env={"http_proxy": NOBODY, "NO_PROXY": patterns})

    assert (0 if spared else 1, int(spared)) == (done.status, len(server.requests)), done


def test_no_proxy_may_name_the_port(queued: Developer, server: Recorder) -> None:
    address = server.url.removeprefix("http://")

    assert 0 == queued.flush(env={"http_proxy": NOBODY, "no_proxy": address}).status


NAMES = [
    ("example.org", "example.org", True), ("www.example.org", "example.org", True), ("www.example.org", ".example.org", True), ("example.org", ".example.org", True),
    ("www.example.org", "*.example.org", True), ("WWW.Example.ORG", "example.org", True), ("example.org.", "example.org", True), ("example.org", "example.org.", True),
    ("badexample.org", "example.org", False), ("example.org", "www.example.org", False), ("example.org", "org", True), ("example.org", "example.org:443", True),
    ("example.org", "example.org:80", False), ("::1", "::1", True), ("::1", "[::1]", True), ("::1", "[::1]:443", True), ("::1", "[::1]:80", False), ("::1", "::/64", True),
    ("fe80::1", "fe80::/10", True), ("2001:db8::1", "2001:DB8::/32", True), ("2001:db8::1", "[2001:db8::]/32", True), ("0:0:0:0:0:0:0:1", "::1", True), ("::2", "::1", False),
    ("example.org", ".", False), ("example.org", "*.", False), ("example.org", "10.0.0.0/8", False), ("10.1.2.3", "10.1.2.3/32", True), ("10.1.2.3", "10.1.2.4/31", False),
]  # fmt: skip


@pytest.mark.parametrize(("host", "patterns", "spared"), NAMES)
def test_hosts_that_need_no_proxy(host: str, patterns: str, spared: bool) -> None:
    assert spared is proxies.spared(host, 443, patterns)


@pytest.mark.parametrize(
    ("host", "patterns", "spared"), [row for row in NAMES if ":" not in row[0] and ":4" not in row[1] and ":8" not in row[1]]
)
def test_curl_agrees_about_hosts_that_need_no_proxy(host: str, patterns: str, spared: bool, tmp_path: Path) -> None:
    """Without ports, which curl does not know there, and `*.` before a name, which others do."""
    if "*" in patterns:
        pytest.skip("curl takes a star for any host alone")
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    words = [curl, "-sv", "--max-time", "2", "--resolve", f"{host}:443:127.0.0.1", f"https://{host}/"]
    env = {"https_proxy": "http://127.0.0.1:9", "NO_PROXY": patterns, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    said = subprocess.run(words, env=env, capture_output=True, text=True, check=False).stderr

    assert spared is ("127.0.0.1:9" not in said and "port 9" not in said), said


@pytest.mark.parametrize(
    ("scheme", "env", "host"),
    [
        ("http", {"http_proxy": "http://a:1"}, "a"), ("http", {"HTTP_PROXY": "http://a:1"}, None), ("https", {"https_proxy": "http://a:1"}, "a"),
        ("https", {"HTTPS_PROXY": "http://a:1"}, "a"), ("https", {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "a"),
        ("https", {"http_proxy": "http://a:1"}, None), ("http", {"https_proxy": "http://a:1"}, None), ("http", {"all_proxy": "http://a:1"}, "a"),
        ("https", {"ALL_PROXY": "http://a:1"}, "a"), ("https", {"ALL_PROXY": "http://a:1", "https_proxy": "b:1"}, "b"), ("http", {"http_proxy": "", "all_proxy": "a:1"}, "a"),
        ("http", {"http_proxy": "a"}, "a"), ("https", {"https_proxy": "", "HTTPS_PROXY": ""}, None), ("http", {"HTTP_PROXY": "x:1", "ALL_PROXY": "a:1"}, "a"),
        ("https", {"all_proxy": "http://[::1]:3128"}, "::1"),
    ],
)  # fmt: skip
def test_variables_are_read_as_curl_reads_them(scheme: str, env: dict[str, str], host: str | None) -> None:
    found = proxies.choose(scheme, "collector.example", 443, env)

    assert host == (found.host if found else None)


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5h://127.0.0.1:9",
        "socks5://h",
        "socks4a://h",
        "https://127.0.0.1:9",
        "ftp://h",
        "http://",
        "http://h:x",
        "://",
        "http://h:99999",
    ],
)
@pytest.mark.parametrize("variable", ["all_proxy", "http_proxy"])
def test_a_proxy_of_another_kind_is_not_gone_around(queued: Developer, server: Recorder, proxy: str, variable: str) -> None:
    done = queued.flush(env={variable: proxy})

    assert (1, 0, False) == (done.status, server.connections, "Traceback" in done.err)
    assert variable in done.err
    assert 1 == queued.ledger()["queued"]
    assert variable in queued.innerloop("doctor").out


def test_a_proxys_password_is_in_no_message(queued: Developer) -> None:
    done = queued.flush(env={"all_proxy": "socks5://me:hush-hush@127.0.0.1:9"})

    assert "hush" not in done.err + queued.innerloop("doctor").out


def test_a_plain_request_shows_the_proxy_its_name_and_password(queued: Developer) -> None:
    with Recorder() as proxy:
        url = proxy.url.replace("//", "//me:p%40ss:word@")
        assert 0 == queued.flush(env={"http_proxy": url}).status
        (request,) = proxy.requests

    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"me:p@ss:word").decode()


# HTTPS through a proxy


class Tunnel:
    """A proxy that knows CONNECT, and takes whatever host is named to one address."""

    def __init__(self, to: str, wants: str = "") -> None:
        host, _, port = to.rpartition("/")[2].partition(":")
        self.asked: list[bytes] = []
        tunnel = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while not head.endswith(b"\r\n\r\n") and (line := self.rfile.readline()):
                    head += line
                tunnel.asked.append(head)
                if wants and f"Proxy-Authorization: Basic {b64encode(wants.encode()).decode()}\r\n".encode() not in head:
                    self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                    return
                with socket.create_connection((host, int(port))) as there:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=pump, args=(there, self.connection), daemon=True)
                    back.start()
                    pump(self.connection, there)
                    back.join(5)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def pump(source: Any, sink: Any) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate for api.segment.io that nobody but its owner trusts, with its key in one file; beside it `ca.pem`."""
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("openssl is not installed: no certificate authority of one's own was tried")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=DNS:api.segment.io -addext basicConstraints=critical,CA:TRUE"
    made = [found, *words.split(), "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "ca.pem")]
    subprocess.run(made, check=True, capture_output=True)
    pem = tmp_path / "server.pem"
    pem.write_bytes((tmp_path / "key").read_bytes() + (tmp_path / "ca.pem").read_bytes())
    return pem


@pytest.fixture
def tunnelled(developer: Developer, server: Recorder, authority: Path) -> Iterator[tuple[Developer, Tunnel]]:
    """Somebody whose collector is a host elsewhere, behind a proxy that wants a name and a password."""
    server.speak_tls(authority)
    tunnel = Tunnel(server.url, wants="me:p@ss")
    developer.edit(project={"endpoint": "https://api.segment.io"})
    developer.env |= {"HTTPS_PROXY": f"http://me:p%40ss@{tunnel.address}", "SSL_CERT_FILE": str(authority.with_name("ca.pem"))}
    developer.opt_in("yes")
    developer.run("make", "test")
    yield developer, tunnel
    tunnel.close()


def test_every_request_takes_the_tunnel(tunnelled: tuple[Developer, Tunnel], server: Recorder) -> None:
    """Events, what is kept, erasure and the look at its receipt: with the proxy's password, which the collector never sees."""
    developer, tunnel = tunnelled
    assert 0 == developer.flush().status
    for words in (["show", "stored"], ["forget", "--check", "0123456789abcdef"]):
        developer.innerloop(*words)
    developer.at_terminal(developer.command, "forget", types=[(r"Type yes: ", "yes")])
    paths = [request.line.split()[1] for request in server.requests]

    assert ["/v1/batch", "/v1/access", "/v1/forget/0123456789abcdef", "/v1/forget"] == paths
    assert all(asked.startswith(b"CONNECT api.segment.io:443 HTTP/1.1\r\nHost: api.segment.io:443\r\n") for asked in tunnel.asked)
    assert all(request.headers["host"] == "api.segment.io" for request in server.requests)
    assert not [request for request in server.requests if "proxy-authorization" in request.headers]


def test_the_sender_that_a_command_starts_takes_the_tunnel(tunnelled: tuple[Developer, Tunnel], server: Recorder) -> None:
    developer, _ = tunnelled
    developer.pending()
    developer.let_releases_pass()
    developer.make_delivery_due()
    developer.run("make", "test")
    until = time.monotonic() + 30
    while not server.requests and time.monotonic() < until:
        time.sleep(0.05)

    assert 1 == len(server.requests)


def test_a_proxy_that_refuses_keeps_the_queue_and_is_named(tunnelled: tuple[Developer, Tunnel], server: Recorder) -> None:
    developer, tunnel = tunnelled
    done = developer.flush(env={"HTTPS_PROXY": f"http://{tunnel.address}"})

    assert (1, 0) == (done.status, len(server.requests))
    assert "the proxy answered 407: it wants a name and a password" in done.err
    assert 1 == developer.ledger()["queued"]


def test_through_a_tunnel_no_other_authority_is_trusted(tunnelled: tuple[Developer, Tunnel], server: Recorder) -> None:
    developer, _ = tunnelled
    done = developer.flush(env={"SSL_CERT_FILE": None})

    assert (1, 0) == (done.status, len(server.requests))
    assert "certificate verify failed" in done.err


# addresses


def addresses(*places: tuple[str, int]) -> list[connection.Address]:
    return [
        connection.Address(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
        for host, port in places
    ]


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address that swallows what is sent to it: its queue is full."""
    held = [socket.create_server(("127.0.0.1", 0), backlog=0)]
    place = held[0].getsockname()
    for _ in range(4):
        held.append(socket.socket())
        held[-1].setblocking(False)
        held[-1].connect_ex(place)
    yield place
    for one in held:
        one.close()


def test_an_address_that_swallows_everything_costs_a_quarter_of_a_second(silent: tuple[str, int], server: Recorder) -> None:
    good = server._server.server_address
    started = time.monotonic()
    with connection.race(addresses(silent, silent, (good[0], good[1])), started + 10) as one:
        assert one.getpeername()[1] == good[1]

    assert time.monotonic() - started < 2


def test_addresses_that_refuse_cost_nothing(server: Recorder) -> None:
    good = server._server.server_address
    started = time.monotonic()
    connection.race(addresses(("127.0.0.1", 9), ("::1", 9), (good[0], good[1])), started + 10).close()

    assert time.monotonic() - started < 1


def test_where_no_address_answers_the_deadline_holds_and_no_socket_is_left(silent: tuple[str, int]) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        connection.race(addresses(silent, silent), started + 0.7)

    assert 0.6 < time.monotonic() - started < 2


BROKEN = r"""
ip link set lo up
ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up
ip -6 addr add 2001:db8::1/64 dev d0 nodad; ip addr add 10.9.9.1/24 dev d0
ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:99 dev d0 nud permanent
printf '127.0.0.1 localhost\n2001:db8::2 collector.test\n10.9.9.1 collector.test\n' > "$1/hosts"; mount --bind "$1/hosts" /etc/hosts
python3 -c '
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.send_header("Content-Type", "application/json"); self.end_headers(); self.wfile.write(b"{\"success\": true}")
http.server.HTTPServer(("10.9.9.1", 38181), H).serve_forever()' 2>/dev/null &
server=$!
sleep 1
shift
"$@"
status=$?
kill $server
exit $status
"""


def test_a_network_whose_version_6_is_broken_delays_no_delivery(developer: Developer, tmp_path: Path) -> None:
    """Packets go out and nobody answers, as behind many a tunnel."""
    unshare = shutil.which("unshare")
    words = [unshare or "", "-n", "-m", "sh", "-c", BROKEN, "sh", str(tmp_path)]
    if unshare is None or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no private network can be made here: a broken one was not tried")
    developer.edit(project={"endpoint": "http://collector.test:38181"})
    developer.opt_in("yes")
    developer.run("make", "test")
    started = time.monotonic()
    done = developer.execute(*words, developer.command, "flush")

    assert (0, "1 run delivered to collector.test:38181, 0 left.\n") == (done.status, done.out), done
    assert time.monotonic() - started < 8


def test_a_name_server_that_is_silent_does_not_hold_flush_up(developer: Developer, tmp_path: Path, server: Recorder) -> None:
    from tests.requirements.support import NETWORKS  # noqa: PLC0415

    unshare = shutil.which("unshare")
    script = Path(__file__).parents[1] / "requirements" / "network.py"
    words = [unshare or "", "--net", "--mount", "--map-root-user", "python3", str(script), NETWORKS["dead DNS"].how]
    if unshare is None or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no private network can be made here: a dead name server was not tried")
    developer.edit(project={"endpoint": NETWORKS["dead DNS"].endpoint})
    developer.opt_in("yes")
    developer.run("make", "test")
    started = time.monotonic()
    done = developer.execute(*words, developer.command, "flush", "--timeout", "2")

    assert (1, True) == (done.status, "collector.example was not found" in done.err), done
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    "answer",
    [b"[" * 4096, b"{" * 4096, b'{"a":' * 4096, b'{"message": NaN}', b'{"message": "\xff"}', b'{"message": ' + b"9" * 4000 + b"}"],
    ids=range(6),
)
@pytest.mark.parametrize("status", [400, 401, 413, 500])
def test_whatever_a_collector_sends_back_is_one_line(queued: Developer, server: Recorder, answer: bytes, status: int) -> None:
    server.always(Reply(status, body=answer))
    done = queued.flush()

    assert (1, False) == (done.status, "Traceback" in done.err)
    assert done.err.count("\n") <= 3
    assert 1 == queued.ledger()["queued"] + queued.ledger()["quarantined"]
