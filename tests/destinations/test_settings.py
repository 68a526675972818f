"""A destination that is set up wrongly is refused at the start with one line; a key that cannot be read does not stop the service."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from innerloop_collector.config.loading import load
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.address import check
from tests.collector.support import PROJECT, run_event
from tests.destinations.receivers import Receiver
from tests.destinations.support import SECRET, WITHOUT_ID, Configured, project

WRONG: dict[str, dict[str, Any]] = {
    "endpoint has no TLS": {"endpoint": "http://metrics.example.com"},
    "secrets belong into key_file": {"endpoint": "https://user:password@metrics.example.com"},
    "needs key_file, or key_variable": {"key_file": ""},
    "recipient is missing": {"recipient": ""},
    "must be a host without a path": {"endpoint": "https://metrics.example.com/v1"},
    "invalid enum value": {"kind": "new relic"},
    "unknown key: api_key": {"api_key": "secret"},
    "batch must be 1 to 500": {"batch": 501},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_destination_is_refused_with_one_line(configured: Configured, message: str) -> None:
    path = configured.destination("nr", **({"kind": "newrelic"} | WRONG[message])).write()
    with pytest.raises(UsageError) as refused:
        check("nr", load(str(path), {}).destinations["nr"])

    assert message in str(refused.value)
    assert "destinations" in str(refused.value)
    assert 1 == len(str(refused.value).splitlines())
    assert "password@" not in str(refused.value)


@pytest.mark.slow
def test_commands_refuse_it_too(configured: Configured) -> None:
    configured.write()
    configured.collector.apply(PROJECT)
    configured.destination("nr", "newrelic", endpoint="http://metrics.example.com").write()
    done = configured.collector.cli("destinations", "status")

    assert (1, "innerloop-collector: destinations.nr.endpoint has no TLS; use https, or say plain_http = true\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.mark.slow
def test_a_key_that_is_missing_or_refused_is_read_again(configured: Configured, receiver: Receiver) -> None:
    """The service takes events meanwhile."""
    key = configured.collector.directory / "later"
    configured.destination("nr", "newrelic", receiver, key_file=str(key)).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())
    status = configured.wait("nr", lambda it: it["failures"] > 0)
    assert "key_file cannot be read: No such file or directory" == status["last_error"]
    key.write_text(SECRET)

    assert SECRET == receiver.wait_for(lambda it: len(it.events) == 1).requests[0].headers["api-key"]


@pytest.mark.slow
def test_a_key_can_come_from_the_environment(configured: Configured, receiver: Receiver) -> None:
    configured.collector.environment["NEW_RELIC_LICENSE_KEY"] = "from-the-environment"
    configured.destination("nr", "newrelic", receiver, key_file="", key_variable="NEW_RELIC_LICENSE_KEY")
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())

    assert "from-the-environment" == receiver.wait_for(lambda it: len(it.events) == 1).requests[0].headers["api-key"]


def test_an_operation_on_a_destination_that_is_not_there_says_which_are(configured: Configured) -> None:
    configured.destination("nr", "newrelic").write()
    configured.collector.apply(PROJECT)
    done = configured.collector.cli("destinations", "pause", "nowhere")

    assert (1, "innerloop-collector: no destination 'nowhere' is configured; there are: nr\n") == (done.returncode, done.stderr)


class Proxy:
    """A proxy that lets nobody through, and remembers where they wanted to go."""

    def __init__(self) -> None:
        wanted = self.wanted = set[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                wanted.add(self.path)
                self.send_error(403)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.slow
def test_all_kinds_go_through_the_proxy_with_tls_to_the_configured_hosts_and_to_no_other(configured: Configured, proxy: Proxy) -> None:
    configured.collector.environment["HTTPS_PROXY"] = f"http://127.0.0.1:{proxy.server.server_address[1]}"
    configured.destination("nr", "newrelic").destination("sg", "segment")
    configured.destination("traces", "otlp", endpoint="https://otlp.example.com:4318")
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())
    for name in ("nr", "sg", "traces"):
        assert "no answer" in configured.wait(name, lambda it: it["failures"] > 0)["last_error"]

    assert {"insights-collector.newrelic.com:443", "api.segment.io:443", "otlp.example.com:4318"} == proxy.wanted
