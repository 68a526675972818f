"""The service tells its channels by itself: by webhook, Slack and mail, also after it was killed; and says where that fails."""

import email
import email.policy
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
import trustme

from innerloop_collector.query import project_and_unit
from innerloop_collector.query.alerts.alert_documents import Day, Fate
from innerloop_collector.store.release_journal import Released, ReleaseJournal
from tests.collector.asking import asked
from tests.collector.support import Collector, toml
from tests.collector.test_simulated_clock import simulated
from tests.conftest import ROOT
from tests.destinations.receivers import Answer, Receiver, wait_until
from tests.notifications.support import EVIL, SECRET, Post, documents, verified

QUICK = {"first_pause_seconds": 0.1, "longest_pause_seconds": 0.5, "timeout_seconds": 5.0}


class Told(NamedTuple):
    """A service with its channels, and who listens."""

    collector: Collector
    hook: Receiver
    slack: Receiver
    broken: Receiver
    post: Post
    post_by_tls: Post


def publish(collector: Collector, days: list[Day]) -> None:
    """Have what a stopped collector's journal says be published: its store is the older of the two."""
    journal = ReleaseJournal(collector.data / "releases.log", [], project_and_unit)
    journal.add([Released(one.project, one.unit, msgspec.json.encode(one).decode()) for one in days])


def configure(collector: Collector, **channels: dict[str, Any]) -> None:
    """Write the configuration of some channels, each with its secret in a file of its own."""
    sections: dict[str, dict[str, Any]] = {"notifications": {"dashboard": "https://il.example.org"}}
    for name, keys in channels.items():
        sections[f"channels.{name}"] = {**QUICK, **{key: value for key, value in keys.items() if key != "secret"}}
        if "secret" in keys:
            file = collector.directory / f"{name}.key"
            file.write_text(keys["secret"])
            file.chmod(0o600)
            sections[f"channels.{name}"]["key_file"] = str(file)
    path = collector.directory / "collector.toml"
    path.write_text(toml(sections))
    collector.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(path)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A service whose channels began before two alerts were confirmed, one of them of a hostile name; and a digest is due."""
    collector = Collector(tmp_path_factory.mktemp("told"))
    hook, slack, broken = Receiver(), Receiver(), Receiver()
    broken.say = lambda _: Answer(302, {"Location": hook.url})
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(collector.directory / "authority.pem"))
    collector.environment["SSL_CERT_FILE"] = str(collector.directory / "authority.pem")
    refuse = lambda address: "550 who is that" if address.startswith("gone") else "250 OK"  # noqa: E731
    try:
        with Post(authority, code=refuse) as post, Post(authority, tls=True) as post_by_tls:
            configure(
                collector,
                hook={"kind": "webhook", "url": hook.url, "secret": f"whsec_{SECRET}"},
                slack={"kind": "slack", "secret": slack.url, "sends": ["alerts"]},
                broken={"kind": "webhook", "url": broken.url, "secret": SECRET, "sends": ["alerts"]},
                mail={
                    "kind": "email", "host": "localhost", "port": post.port, "user": "innerloop", "secret": "open sesame",
                    "sender": "innerloop@example.org", "to": ["team@example.org", "gone@example.org"],
                },
                leads={
                    "kind": "email", "host": "localhost", "port": post_by_tls.port, "tls": "tls",
                    "sender": "innerloop@example.org", "to": ["leads@example.org"], "sends": ["digest"],
                },
            )  # fmt: skip
            collector.start_with()
            file = collector.data / "notifications.json"
            wait_until(lambda: file.exists() and len(json.loads(file.read_bytes())) == 5)
            collector.kill()
            state = json.loads(file.read_bytes())
            today = datetime.now(UTC).date()
            for channel in state.values():  # as if it had been away over the day of the last digest
                channel["digest"] = (today - timedelta(days=14)).isoformat()
            file.write_text(json.dumps(state))
            day = today - timedelta(days=4)
            publish(
                collector,
                [*documents("build", day, Fate.OPEN, Fate.CONFIRMED), *documents(EVIL, day - timedelta(days=1), Fate.OPEN, Fate.CONFIRMED)],
            )
            collector.start()
            yield Told(collector, hook, slack, broken, post, post_by_tls)
    finally:
        collector.close()
        for one in (hook, slack, broken):
            one.close()


def letters(told: Told) -> list[email.message.EmailMessage]:
    """What the mail server took."""
    return [email.message_from_bytes(one.content, policy=email.policy.default) for one in told.post.envelopes]  # type: ignore[misc]


def test_every_channel_is_told_in_its_own_way_and_nobody_is_led_astray(told: Told) -> None:
    told.hook.wait_for(lambda it: len(it.requests) == 3)
    told.slack.wait_for(lambda it: len(it.requests) == 2)
    wait_until(lambda: len(told.post.envelopes) == 3)
    signed = [verified(request) for request in told.hook.requests]
    assert ["alert.confirmed", "alert.confirmed", "digest.weekly"] == [one["type"] for one in signed]
    assert [EVIL, "build"] == [one["data"]["alert"]["name"] for one in signed[:2]]
    assert all(abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60 for request in told.hook.requests)
    assert "acme" == signed[2]["data"]["parts"][0]["heading"]
    assert 5 == len(signed[2]["data"]["parts"][0]["sentences"])

    messages = [request.json for request in told.slack.requests]
    assert all("build of acme became about 20% slower" in messages[1][place] for place in ["text"])
    assert "<!" not in messages[0]["text"]

    assert [["team@example.org"]] * 3 == [one.rcpt_tos for one in told.post.envelopes], "who is gone holds up nobody"
    assert ["innerloop: confirmed alert in acme"] * 2 == [one["Subject"] for one in letters(told)[:2]]
    assert [None] * 3 == [one["Bcc"] for one in letters(told)]
    wait_until(lambda: told.post_by_tls.envelopes)
    assert [["leads@example.org"]] == [one.rcpt_tos for one in told.post_by_tls.envelopes]
    assert "build of acme became about 20% slower" in letters(told)[1].get_content().replace("\n", " ")
    assert 3 == len({one["Message-ID"] for one in letters(told)})


def test_where_it_fails_is_said_by_check_status_metrics_and_log(told: Told) -> None:
    collector = told.collector
    wait_until(lambda: next(one for one in status(collector) if one["channel"] == "broken")["failures"] > 2)
    shown = {one["channel"]: one for one in status(collector)}
    assert ("failing", 2, 0) == tuple(shown["broken"][key] for key in ("state", "waiting", "sent"))
    assert "it answered 302, a redirect, which is not followed; see its address" == shown["broken"]["last_error"]
    assert [("well", 0, 3, None)] * 2 == [
        tuple(shown[one][key] for key in ("state", "waiting", "sent", "last_error")) for one in ("hook", "mail")
    ]

    checked = asked(collector, "check").json()
    said = {one["text"].partition("; see")[0]: one["note"] for one in checked["findings"] if one["about"] == "notifications"}
    assert {
        "the channel broken fails (it answered 302, a redirect, which is not followed": False,
        "the channel mail took the last notice, but it does not take mail for 1 of 2 addresses": True,
    } == said
    metrics = collector.http.get(collector.url + "/metrics").text
    for line in (
        'channel_waiting{channel="broken"} 2.0',
        'channel_sent_total{channel="hook"} 3.0',
        'channel_left_out_total{channel="mail"} 0.0',
    ):
        assert f"innerloop_{line}" in metrics.splitlines()
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    assert set(re.findall(r"^# HELP (innerloop_channel_\w+) ", metrics, re.MULTILINE)) == set(
        re.findall(r"^\| `(innerloop_channel_\w+)`", page, re.MULTILINE)
    )
    logged = [json.loads(line) for line in collector.log.splitlines() if '"channel failed"' in line]
    assert {"broken"} == {one["channel"] for one in logged}
    assert not [word for word in ("sesame", SECRET, told.broken.url, "example.org") if word in collector.log]
    shown_config = collector.ask_text("config", "show")
    assert not [word for word in ("sesame", SECRET) if word in shown_config]


def status(collector: Collector) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asked(collector, "notifications.status").json()["channels"]
    return found


def test_a_test_is_sent_at_once_and_says_what_it_is(told: Told) -> None:
    before = len(told.hook.requests)
    answer = told.collector.ask("notifications", "test", "hook")
    sent = told.hook.requests[before]
    assert (answer["id"], "test") == (sent.headers["webhook-id"], verified(sent)["type"])
    assert "This is a test that somebody sent by hand" in verified(sent)["data"]["parts"][0]["sentences"][0]
    failed, unknown = (asked(told.collector, "notifications.test", channel=one) for one in ("broken", "nowhere"))
    assert "the channel broken did not take the test: it answered 302" in failed.json()["detail"]
    assert "no channel 'nowhere' is configured; there are: hook, slack, broken, mail, leads" in unknown.json()["detail"]
    text = told.collector.ask_text("notifications", "status")
    assert "broken: it answered 302, a redirect, which is not followed; see its address" in text.splitlines()


def test_who_is_killed_and_started_again_tells_nothing_twice_and_goes_on_with_what_waits(told: Told) -> None:
    """The last of this module: it leaves a service that was started anew."""
    told.hook.wait_for(lambda it: len(it.requests) >= 3)
    wait_until(lambda: len(told.post.envelopes) == 3)
    counts = len(told.hook.requests), len(told.slack.requests), len(told.post.envelopes)
    wait_until(lambda: all(one["waiting"] == 0 for one in status(told.collector) if one["channel"] != "broken"))
    told.collector.kill()
    told.broken.say = lambda _: Answer(204)
    told.collector.start()
    told.broken.wait_for(lambda it: len(it.requests) == 2)

    assert [EVIL, "build"] == [verified(one)["data"]["alert"]["name"] for one in told.broken.requests]
    wait_until(lambda: {"well"} == {one["state"] for one in status(told.collector)})
    assert counts == (len(told.hook.requests), len(told.slack.requests), len(told.post.envelopes))


def test_of_a_simulated_store_nothing_is_ever_sent(idle: Collector, receiver: Receiver) -> None:
    configure(idle, hook={"kind": "webhook", "url": receiver.url, "secret": SECRET})
    simulated(idle).start_with()
    refused = asked(idle, "notifications.test", channel="hook")

    assert (409, True) == (refused.status_code, "nothing of it is ever sent" in refused.text)
    assert ["simulated"] == [one["state"] for one in status(idle)]
    assert asked(idle, "simulation.move", to="2031-03-17T12:00:00+00:00").status_code == 200
    assert ([], False) == (receiver.requests, (idle.data / "notifications.json").exists())
