"""What leaves for a channel: signed as the specification says, and no name in it is obeyed by whoever shows it."""

import base64
import email
import email.policy
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerloop_collector.config.configuration import Channel, Notifications
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.failures import Refusing
from innerloop_collector.notifications.channel_settings import check, check_dashboard, usable
from innerloop_collector.notifications.mail import message as mail
from innerloop_collector.notifications.notice import CONFIRMED, LONGEST, Notice, Pages, as_text, id_of, part
from innerloop_collector.notifications.slack import message as slack
from innerloop_collector.notifications.webhook import content, signature
from tests.collector.test_what_is_printed import obeyed
from tests.notifications.support import EVIL, NOW, SECRET

MAIL = {"kind": "email", "host": "mail.example.org", "sender": "innerloop@example.org", "to": ("team@example.org",)}
HOOK = {"kind": "webhook", "url": "https://hooks.example.org/in?code=1", "key_variable": "KEY"}


def notice(name: str) -> Notice:
    """A notice about something that somebody named."""
    told = part(name, [f"{name} became slower", name], Pages("https://il.example.org").cell("acme", "command", name))
    return Notice(id_of("one", CONFIRMED, name), CONFIRMED, "innerloop: confirmed alert in acme", NOW, (told,), {"alert": {"name": name}})


def test_a_webhook_is_signed_as_the_specifications_own_libraries_sign() -> None:
    """The example of their tests: libraries/go/webhook_test.go of github.com/standard-webhooks/standard-webhooks."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == signature(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )


def test_the_same_thing_has_the_same_id_and_no_other_thing_has_it() -> None:
    known = id_of("one", CONFIRMED, "acme", "build")

    assert known == id_of("one", CONFIRMED, "acme", "build")
    assert 5 == len(
        {
            known,
            id_of("two", CONFIRMED, "acme", "build"),
            *(id_of("one", CONFIRMED, *one) for one in (["acmebuild"], ["acme"], ["acme", "lint"])),
        }
    )
    assert re.fullmatch(r"notice_[0-9a-f]{32}", known), "a full stop would let somebody move the border of what is signed"


@given(st.text(max_size=2_000) | st.just(EVIL))
def test_no_text_moves_a_cursor_or_makes_a_line_wherever_it_is_shown(name: str) -> None:
    made = notice(name)
    shown = [
        as_text(made),
        slack(made)["text"],
        *(block["text"]["text"] for block in slack(made)["blocks"] if block["type"] != "context"),
        *(sentence for one in content(made)["data"]["parts"] for sentence in [one["heading"], *one["sentences"]]),
    ]

    assert [set()] * len(shown) == [obeyed(text) for text in shown]
    assert 5 + bool(name) == len(as_text(made).split("\n"))
    assert all(len(sentence) <= LONGEST for one in made.parts for sentence in one.sentences)
    assert {"alert": {"name": name}}.items() <= json.loads(json.dumps(content(made)))["data"].items(), "programs get the very name"


@given(st.text(max_size=200) | st.just(EVIL))
def test_slack_obeys_nothing_in_a_name(name: str) -> None:
    told = slack(notice(name))
    title, fence, *inside, end, link = told["text"].split("\n")

    assert ("*innerloop: confirmed alert in acme*", "```", "```") == (title, fence, end)
    assert not set("`<>") & set("".join(inside)), "nothing ends the fence, calls somebody or is a link"
    assert re.fullmatch(r"https://il\.example\.org/p/acme/commands/[A-Za-z0-9_.~%-]*", link)
    assert {"plain_text"} == {block["text"]["type"] for block in told["blocks"] if block["type"] != "context"}
    assert [f"<{link}|this command>"] == [
        one["text"] for block in told["blocks"] if block["type"] == "context" for one in block["elements"]
    ]


def test_slack_takes_the_longest_message_that_there_is() -> None:
    long = part("p" * 900, ["s" * 900] * 5, Pages("https://il.example.org").links("acme", ("overview", "")))
    told = slack(Notice("id", "digest.weekly", "t" * 900, NOW, (long,) * 30, {}))

    assert 50 == len(told["blocks"])
    assert all(len(block["text"]["text"]) <= (150 if block["type"] == "header" else 3_000) for block in told["blocks"] if "text" in block)


@given(st.text(max_size=200) | st.just(EVIL))
def test_a_name_is_no_header_of_a_mail(name: str) -> None:
    settings = Channel(**MAIL)
    made = notice(name)._replace(title=part("", [name]).sentences[0])
    written = mail(made, settings).as_bytes()
    assert written.isascii(), "no server need offer more"
    read = email.message_from_bytes(written, policy=email.policy.default)

    wanted = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    assert sorted(wanted) == sorted(read.keys())
    assert (f"<{made.id}@example.org>", "team@example.org") == (read["Message-ID"], read["To"])
    assert as_text(made).split() == read.get_content().split()


WRONG: dict[str, dict[str, Any]] = {
    "a channel's name is": {**HOOK, "name": "a/b"},
    "channels.one.url must be like": {**HOOK, "url": "hooks.example.org"},
    "channels.one.url has no TLS": {**HOOK, "url": "http://hooks.example.org"},
    "with no user, password or #": {**HOOK, "url": "https://me:open-sesame@hooks.example.org"},
    "needs key_file with its signing secret": {**HOOK, "key_variable": ""},
    "needs key_file with the address that Slack gave": {"kind": "slack"},
    "put it into key_file": {"kind": "slack", "key_file": "/x", "url": "https://hooks.slack.com/open-sesame"},
    "channels.one.host is missing": {**MAIL, "host": ""},
    "channels.one.sender must be": {**MAIL, "sender": "a@b\r\nBcc: c@example.org"},
    "channels.one.to must be": {**MAIL, "to": ("a@example.org", "<b@example.org>")},
    "user and its password go together": {**MAIL, "user": "me"},
    "anybody on the way reads the password": {**MAIL, "user": "me", "key_file": "/x", "tls": "none"},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_channel_is_refused_with_one_line_that_holds_no_secret(message: str) -> None:
    keys = dict(WRONG[message])
    with pytest.raises(UsageError) as refused:
        check(keys.pop("name", "one"), Channel(**keys))

    assert message in str(refused.value)
    assert "sesame" not in str(refused.value)
    assert 1 == len(str(refused.value).splitlines())


def test_where_the_pages_are_is_an_address() -> None:
    check_dashboard(Notifications(dashboard="http://innerloop.example.org/team"))
    for wrong in ("innerloop.example.org", "javascript:alert(1)", "https://innerloop.example.org/?a=1", "https://a b"):
        with pytest.raises(UsageError, match=r"notifications\.dashboard must be"):
            check_dashboard(Notifications(dashboard=wrong))


SECRETS = {
    "webhook": (["whsec_" + SECRET, SECRET, f"whsec_{SECRET}\n{SECRET}"], ["whsec_" + SECRET[:8], "open sesame", "\n".join([SECRET] * 3)]),
    "slack": (["https://hooks.slack.com/services/T/B/x"], ["hooks.slack.com/services/T/B/x", "http://hooks.slack.com/T", "https://a/#b"]),
    "email": (["open sesame"], ["open\nsesame"]),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_that_is_none_is_told_without_it(kind: str) -> None:
    for secret in SECRETS[kind][0]:
        usable(Channel(kind=kind, key_variable="KEY"), {"KEY": secret})
    for secret in SECRETS[kind][1]:
        with pytest.raises(Refusing) as refused:
            usable(Channel(kind=kind, key_variable="KEY"), {"KEY": secret})
        assert not [word for word in secret.split() if word in str(refused.value)]
    with pytest.raises(Refusing, match="the variable KEY is not set"):
        usable(Channel(kind=kind, key_variable="KEY"), {})


def test_a_notice_is_made_at_its_own_time() -> None:
    later = notice("build")._replace(made=NOW + timedelta(hours=3))

    assert "2026-12-01T15:00:00+00:00" == content(later)["timestamp"]
    assert "Tue, 01 Dec 2026 15:00:00 +0000" == mail(later, Channel(**MAIL))["Date"]


@pytest.mark.parametrize(
    "address", ["a..b@x.org", ".a@x.org", "a.@x.org", "a@x..org", "a@.x.org", "a@x.org.", "=?utf-8?q?x?=@x.org", "a@x.org\n"]
)
def test_an_address_that_no_mail_can_be_written_to_is_refused_with_the_configuration(address: str) -> None:
    for key, wrong in (("sender", address), ("to", (address,))):
        with pytest.raises(UsageError, match=rf"channels\.leads\.{key} must be an address of mail"):
            check("leads", Channel(**{**MAIL, key: wrong}))


@pytest.mark.parametrize(
    "address", ["a.b+c@x-y.example.org", "root@localhost", "o'neill@example.org", "{|}~=`@1.example", "a" * 64 + "@x.org"]
)
def test_to_each_address_that_a_configuration_may_have_a_mail_can_be_written(address: str) -> None:
    settings = Channel(**{**MAIL, "sender": address, "to": (address,)})
    check("leads", settings)
    read = email.message_from_bytes(mail(notice("build"), settings).as_bytes(), policy=email.policy.default)

    assert [(address,), (address,)] == [tuple(one.addr_spec for one in read[name].addresses) for name in ("From", "To")]
