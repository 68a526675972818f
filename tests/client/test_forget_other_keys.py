"""Erasure of ids that belong to another write key than today's: they are asked for under their own key, and under no other."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.client.erasures import asked, collector, forget, holding
from tests.client.people import Developer
from tests.client.recorder import Recorder, Reply


@pytest.fixture(autouse=True)
def _answers(server: Recorder) -> None:
    server.always(collector)


def keys(server: Recorder) -> dict[str, str]:
    """Every id whose erasure was asked for -> the write key that it was asked for with."""
    return {
        one["userId"]: request.key for request in server.requests if "POST /v1/forget" in request.line for one in request.document["ids"]
    }


@pytest.fixture(params=["of-somebody-else", "shop.first"])
def moved(request: pytest.FixtureRequest, hire: Callable[..., Developer]) -> Developer:
    """Somebody who agreed under one write key, gave an id up there, and is asked again under another."""
    developer = hire().project(project={"write_key": request.param})
    developer.opt_in("yes")
    developer.innerloop("reset-id")
    return developer


def known(developer: Developer) -> dict[str, str]:
    document: dict[str, Any] = json.loads(developer.consent_file.read_text())
    earlier = {one["id"]: one["secret"] for one in document["consent"].get("earlier", [])}
    return earlier | {document["anonymous_user_id"]: document["consent"]["secret"]}


@pytest.mark.parametrize("answer", ["yes", "local", "no", ""])
def test_an_id_of_another_write_key_is_erased_under_that_key(moved: Developer, server: Recorder, answer: str) -> None:
    first, before = moved.tables["project"]["write_key"], known(moved)
    moved.edit(project={"write_key": "another"})
    moved.opt_in(answer)
    after = set(known(moved)) - set(before) if answer == "yes" else set()
    said = forget(moved)

    assert 0 == said.status, said.text
    assert dict.fromkeys(before, first) | dict.fromkeys(after, "another") == keys(server)
    assert before.items() <= {one["userId"]: one["secret"] for one in asked(server)}.items()
    assert [] == [path for secret in before.values() for path in holding(moved.home, secret)]


def test_no_batch_and_no_question_names_an_id_of_another_write_key(moved: Developer, server: Recorder) -> None:
    before = known(moved)
    moved.edit(project={"write_key": "shop.second" if moved.tables["project"]["write_key"] == "of-somebody-else" else "another"})
    moved.opt_in("yes")
    moved.run("make", "test")
    moved.flush()
    moved.innerloop("show", "stored")

    assert server.events
    assert not any(text.encode() in server.bytes for pair in before.items() for text in pair)


def test_an_erasure_under_another_write_key_is_asked_for_until_it_is_confirmed(moved: Developer, server: Recorder) -> None:
    before = known(moved)
    moved.edit(project={"write_key": "another"})
    moved.opt_in("yes")
    server.always(Reply(503))
    assert 1 == forget(moved).status
    assert moved.status()["erasure_waits"]
    server.always(collector)
    assert 0 == moved.at_terminal(moved.command, "forget").status

    assert set(before) <= set(keys(server))
    assert not moved.status()["erasure_waits"]


def test_an_id_whose_write_key_nobody_wrote_down_stays_until_that_key_is_back(moved: Developer, server: Recorder) -> None:
    """As after an answer of an earlier version, which kept none."""
    first, before = moved.tables["project"]["write_key"], known(moved)
    document = json.loads(moved.consent_file.read_text())
    for one in (document["consent"], *document["consent"]["earlier"]):
        del one["write_key"]
    moved.consent_file.write_text(json.dumps(document))
    moved.edit(project={"write_key": "another"})
    moved.opt_in("yes")
    said = forget(moved)
    assert f"2 ids of another write key stay in {moved.consent_file}" in " ".join(said.text.split())
    assert not set(before) & set(keys(server))
    moved.edit(project={"write_key": first})
    assert 0 == forget(moved).status

    assert dict.fromkeys(before, first).items() <= keys(server).items()
    assert [] == [path for secret in before.values() for path in holding(moved.home, secret)]
