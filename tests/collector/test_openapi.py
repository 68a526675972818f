"""The service's description of itself: complete, valid, and true: another program that reads it finds no answer that it does not announce."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.routing import Route

from innerloop_collector.web.openapi import document, served
from tests.collector.asking import asked
from tests.collector.support import KEY, PROJECT, Collector, toml

PROBE = """
import json, pathlib, sys
from concurrent.futures import ThreadPoolExecutor
from innerloop_collector.composition.service import build
from innerloop_collector.composition.collector import Collector
from innerloop_collector.composition.areas import operations
from innerloop_collector.web.openapi import served
from innerloop_collector.config.paths import prepare
opened = Collector(prepare(pathlib.Path(sys.argv[1]))); opened.open()
print(json.dumps(sorted(served(build(opened, operations(opened), ThreadPoolExecutor(1)).app.routes))))
opened.close()
"""
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Every path and method in a document."""
    return {(path, method.upper()) for path, item in document["paths"].items() for method in item if method in METHODS}


@pytest.fixture(scope="module")
def openapi(shared: Collector) -> dict[str, Any]:
    """The document of a running service."""
    response = shared.http.get(shared.url + "/openapi.json")
    assert (200, "application/json") == (response.status_code, response.headers["content-type"])
    found: dict[str, Any] = response.json()
    return found


def test_the_document_is_valid_openapi(openapi: dict[str, Any]) -> None:
    assert "3.1.0" == openapi["openapi"]
    validate(openapi)


def test_every_route_of_the_service_is_described_and_no_other(openapi: dict[str, Any], idle: Collector) -> None:
    idle.data.mkdir()
    done = subprocess.run([sys.executable, "-c", PROBE, str(idle.data)], capture_output=True, text=True, env=idle.environment, check=False)
    assert 0 == done.returncode, done.stderr
    routes = {(path, method) for path, method in json.loads(done.stdout)}

    assert routes == described(openapi)


def test_a_route_that_nobody_described_is_noticed() -> None:
    route = Route("/v1/new", lambda _: None, methods=["POST"])

    assert [("/v1/new", "POST")] == list(served([route]))
    assert {} == document([route], {})["paths"]


def test_ids_of_operations_are_unique(openapi: dict[str, Any]) -> None:
    ids = [item["operationId"] for methods in openapi["paths"].values() for item in methods.values()]

    assert len(ids) == len(set(ids))


HOOKS = """
import schemathesis

@schemathesis.hook
def filter_body(context, body):
    called = body.get("operation") if isinstance(body, dict) else None
    return not str(called).startswith(("backup", "restore", "export"))  # they write where they are told to
"""


def fuzz(collector: Collector, directory: Path, examples: int, seed: int, *words: str) -> None:
    """Have schemathesis try everything that the document allows, and much that it does not."""
    token = (collector.data / "admin-token").read_text().strip()
    basic = base64.b64encode(f"{KEY}:".encode()).decode()
    configuration = directory / "schemathesis.toml"
    configuration.write_text(
        f"""[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 511]
negative_data_rejection.enabled = false
positive_data_acceptance.enabled = false
ignored_auth.enabled = false
[[operations]]
include-path-regex = "^/v1/"
headers = {{ Authorization = "Basic {basic}" }}
[[operations]]
exclude-path-regex = "^/v1/"
headers = {{ Authorization = "Bearer {token}" }}
"""
    )
    (directory / "hooks_of_the_collector.py").write_text(HOOKS)
    environment = {**collector.environment, "SCHEMATHESIS_HOOKS": "hooks_of_the_collector", "PYTHONPATH": str(directory)}
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", configuration, "run", collector.url + "/openapi.json"]
    options = [
        "--max-examples",
        str(examples),
        "--seed",
        str(seed),
        "--no-color",
        "--continue-on-failure",
        "--suppress-health-check",
        "all",
    ]
    done = subprocess.run(
        [*map(str, command), *options, *words],
        capture_output=True,
        text=True,
        env=environment,
        cwd=directory,
        timeout=900,
        check=False,
    )
    assert 0 == done.returncode, done.stdout[-8000:] + done.stderr[-2000:]
    assert collector.process is not None
    assert collector.process.poll() is None
    assert "unexpected failure" not in collector.log
    assert 200 == collector.http.get(collector.url + "/readyz").status_code


def test_no_answer_is_other_than_the_document_says(collector: Collector, tmp_path: Path) -> None:
    """Fuzzed within bounds: no 5xx but the 503 that is announced, no status, type, header or body that is not."""
    names_of_others = ("--exclude-path-regex", r"^/v1/[a-z]/?$|/$")
    fuzz(collector, tmp_path, 3, 1, "--phases", "examples,fuzzing", *names_of_others)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_answer_is_other_than_the_document_says_however_long_one_looks(collector: Collector, tmp_path: Path, seed: int) -> None:
    fuzz(collector, tmp_path, 50, seed)


WRONG: list[Any] = [None, True, 5, 1.5, "", "\0../../etc/passwd" * 20, ["x"], {"a": 1}, 2**70]


@pytest.mark.slow
def test_no_operation_fails_over_arguments_that_do_not_fit(shared: Collector, openapi: dict[str, Any]) -> None:
    """Every one, with every argument wrong in every way: refused in a line, never a failure."""
    token = (shared.data / "admin-token").read_text().strip()
    answers = set()
    for call in openapi["components"]["schemas"]["Call"]["oneOf"]:
        name, arguments = call["properties"]["operation"]["const"], call["properties"]["arguments"]["properties"]
        if name.startswith(("backup", "restore", "export")):  # they write where they are told to
            continue
        tries = [{argument: wrong} for argument in arguments for wrong in WRONG] + [dict.fromkeys(arguments, "x"), {}]
        for given in [*tries, {"no such argument": 1}]:
            response = shared.http.post(
                shared.url + "/admin/v1/call", json={"operation": name, "arguments": given}, headers={"Authorization": f"Bearer {token}"}
            )
            answers.add(response.status_code)
            assert response.status_code in (200, 400, 409), f"{name} with {given}: {response.text}"

    assert {400, 409} <= answers
    assert "unexpected failure" not in shared.log


@pytest.mark.parametrize(
    ("operation", "fine", "name", "wrong"),
    [
        ("tokens.create", {"role": "viewer", "label": "x"}, "days", (-5, 0, 3_651, 10**9)),
        ("keys.rotate", {"project": "acme"}, "overlap", (-1, 0, 366, 10**9)),
        ("projects.apply", {"toml": toml(PROJECT), "source": "x"}, "min_active_weeks", (-1, 0, 53, 10**9)),
        ("backup.make", {}, "directory", ("", "/tmp/\0x")),
        ("backup.gone", {}, "directory", ("", "/tmp/\0x")),
    ],
)
def test_a_number_or_path_beyond_what_makes_sense_is_refused(
    shared: Collector, operation: str, fine: dict[str, Any], name: str, wrong: tuple[Any, ...]
) -> None:
    """As the command line would, before anything is made of it."""
    answers = [asked(shared, operation, **fine, **{name: one}).status_code for one in wrong]

    assert [400] * len(wrong) == answers
