"""The tests of access and limits can fail: each protection is taken out of a copy of the collector, and the test of it notices."""

from pathlib import Path

import pytest

from tests.collector.patches import Patch, caught, copy, run

PATCHES = {
    "roles are not compared": Patch(
        "admin/operations.py", "if who.role < operation.role:", "if False:", "test_access.py::test_each_role_may_do_what_is_its_own_and_nothing_more"
    ),
    "the projects of a token are not compared": Patch(
        "admin/operations.py", "if not who.sees(", "if False and not who.sees(", "test_access.py::test_who_sees_one_project_learns_nothing_of_another"
    ),
    "what is about all projects is open to who sees some": Patch(
        "admin/operations.py", "if who.projects is not None:", 'if who.projects is not None and operation.takes("project"):', "test_access.py::test_who_sees_one_project_learns_nothing_of_another"
    ),
    "the caller says what is visible": Patch(
        "admin/operations.py", '{**arguments, "visible": who.projects}', '{"visible": who.projects, **arguments}', "test_access.py::test_who_sees_one_project_learns_nothing_of_another"
    ),
    "tokens lie in the store": Patch(
        "store/keyed_hash.py", 'return self._digest(b"token", text, 32).hex()', "return text", "test_access.py::test_a_token_is_shown_once_and_kept_as_a_hash"
    ),
    "a revoked token opens": Patch(
        "access/tokens.py", "return not self.revoked and (", "return (", "test_access.py::test_a_revoked_token_opens_nothing_from_that_moment_on_also_after_a_restart"
    ),
    "a token never ends": Patch(
        "access/tokens.py", "(self.expires is None or today <= self.expires)", "True", "test_keys_and_privacy.py::test_a_rotated_key_ends_at_its_date_and_a_token_after_its_last_day"
    ),
    "a session outlives its token": Patch(
        "access/authentication.py", "token = self._tokens.good(session.token_hash)", "token = self._tokens._tokens.get(session.token_hash)", "test_access.py::test_a_session_ends_with_a_word_or_with_its_token"
    ),
    "a session is not ended": Patch(
        "access/authentication.py", 'self._sessions.close(request.cookies.get(self.cookie, ""))', "pass", "test_access.py::test_a_session_ends_with_a_word_or_with_its_token"
    ),
    "an unused session lives on": Patch(
        "access/sessions.py", "now - session.used > self._idle or ", "", "test_access.py::test_a_session_that_nobody_uses_ends_and_none_lasts_for_ever_and_a_plain_cookie_is_there_for_who_asks"
    ),
    "a used session lasts for ever": Patch(
        "access/sessions.py", " or now - session.began > self._longest", "", "test_access.py::test_a_session_that_nobody_uses_ends_and_none_lasts_for_ever_and_a_plain_cookie_is_there_for_who_asks"
    ),
    "another site may use a session": Patch(
        "access/authentication.py", "        own_pages_only(request, self._origins, by_browser=True)\n        return found", "        return found", "test_access.py::test_another_site_cannot_use_a_session"
    ),
    "another site may sign somebody in": Patch(
        "access/authentication.py", "        own_pages_only(request, self._origins, by_browser=False)\n", "", "test_access.py::test_another_site_cannot_sign_somebody_in"
    ),
    "an empty token in the data directory is one": Patch(
        "admin/api.py", "if len(token) < _SHORTEST_TOKEN:", "if False:", "test_access.py::test_a_service_whose_own_token_is_empty_or_short_does_not_start[empty]"
    ),
    "any address is a trusted proxy": Patch(
        "access/proxy.py", "return any(address in network for network in self._networks)", "return True", "test_access.py::test_the_headers_of_who_is_no_trusted_proxy_say_nothing"
    ),
    "a proxy needs no secret": Patch(
        "access/proxy.py", "if not hmac.compare_digest(", "if False and not hmac.compare_digest(", "test_access.py::test_a_trusted_proxy_says_who_somebody_is"
    ),
    "an empty header of projects is all of them": Patch(
        "access/proxy.py", 'frozenset(projects - {""})', 'frozenset(projects - {""}) or None', "test_access.py::test_where_a_proxy_has_a_header_for_projects_silence_is_none"
    ),
    "of two headers one counts": Patch(
        "access/proxy.py", "if len(values) > 1:", "if False:", "test_access.py::test_a_trusted_proxy_says_who_somebody_is"
    ),
    "a key that was replaced never ends": Patch(
        "store/projects.py", "(self.ends is None or today <= self.ends)", "True", "test_keys_and_privacy.py::test_a_rotated_key_ends_at_its_date_and_a_token_after_its_last_day"
    ),
    "a second rotation gives a key more time": Patch(
        "store/projects.py", "min(one.ends or last, last)", "last", "test_keys_and_privacy.py::test_rotating_again_lets_no_key_live_longer"
    ),
    "a key may send as fast as it likes": Patch(
        "ingest/rate_limits.py", "self._within_rate(found, max(events, 1))", "pass", "test_limits.py::test_a_key_that_sends_too_fast_is_told_when_it_may_go_on_and_that_is_true"
    ),
    "ids may be asked about without end": Patch(
        "ingest/rate_limits.py", "if seconds := self._missing(self._asked, key, ids):", "if False:", "test_limits.py::test_asking_about_ids_has_a_rate_of_its_own"
    ),
    "who asks shares the readers with nobody": Patch(
        "ingest/subject_access_routes.py", "asyncio.Semaphore(1)", "asyncio.Semaphore(2)", "test_seeing_what_is_kept.py::test_however_many_ask_one_reader_answers_them_with_one_question_each"
    ),
    "a revoked key keeps people from what is theirs": Patch(
        "ingest/rate_limits.py", "self._registry.ever(key) if key", "self._registry.key(key) if key", "test_erasure.py::test_a_write_key_that_is_no_longer_accepted_still_says_which_project_a_secret_is_for"
    ),
    "the time to wait is made up": Patch(
        "ingest/rate_limits.py", "math.ceil(missing / self._rate)", "0 * math.ceil(missing) or 9", "test_limits.py::test_a_key_that_sends_too_fast_is_told_when_it_may_go_on_and_that_is_true"
    ),
    "any number of new ids": Patch(
        "store/known_ids.py", "if self.new_today(project, key) >= most:", "if False:", "test_limits.py::test_ids_beyond_those_of_a_day_wait_until_somebody_lets_them_in"
    ),
    "applying a project lets new ids in": Patch(
        "lifecycle/quarantine_release.py", "row.reason != Reason.NEW_ID or core.ids.knows(row.installation)", "True", "test_limits.py::test_ids_beyond_those_of_a_day_wait_until_somebody_lets_them_in"
    ),
    "known ids are forgotten": Patch(
        "core.py", "            self.ids.load()\n", "            pass\n", "test_limits.py::test_ids_beyond_those_of_a_day_wait_until_somebody_lets_them_in"
    ),
    "ids among the events are not found": Patch(
        "store/known_ids.py", "            if mark not in self._marks:\n                self._add(project, mark, _EVERY_KEY, first_day)\n", "", "test_limits.py::test_ids_from_before_anybody_counted_are_known"
    ),
    "a sign-in may be as long as it likes": Patch(
        "web/signin.py", "await request_body.read(request, self._limits)", "await request.body()", "test_requests_and_connections.py::test_a_length_that_is_not_the_bodys_lets_no_more_in"
    ),
    "a call may be as long as it likes": Patch(
        "admin/api.py", "await request_body.read(request, self._limits)", "await request.body()", "test_requests_and_connections.py::test_a_length_that_is_not_the_bodys_lets_no_more_in"
    ),
    "depth is not bounded": Patch(
        "ingest/routes.py", "if too_deep(document, self._limits.nesting):", "if False:", "test_requests_and_connections.py::test_what_lies_deep_is_refused_and_crashes_nothing"
    ),
    "a header may take its time": Patch(
        "web/connection_guard.py", "now - begun > self.limits.header_seconds", "False", "test_requests_and_connections.py::test_a_header_that_comes_slowly_ends_and_others_do_not_wait_for_it"
    ),
    "who says nothing may stay": Patch(
        "web/connection_guard.py", "now - since > self.limits.idle_seconds", "False", "test_requests_and_connections.py::test_a_header_that_comes_slowly_ends_and_others_do_not_wait_for_it"
    ),
    "a header that arrives in one piece may have any size": Patch(
        "web/connection_guard.py", "if self.conn.their_state is not h11.IDLE:\n            return available", "if True:\n            return available", "test_requests_and_connections.py::test_a_header_that_arrives_in_one_piece_is_bounded_too"
    ),
    "a body may take its time": Patch(
        "web/connection_guard.py", "seconds > _GRACE_SECONDS and self._body_bytes", "False and self._body_bytes", "test_requests_and_connections.py::test_a_body_that_comes_too_slowly_ends"
    ),
    "nobody makes room": Patch(
        "web/connection_guard.py", "oldest = next(iter(self.strangers or self.resting), None)", "oldest = None", "test_requests_and_connections.py::test_two_thousand_connections_keep_nobody_out"
    ),
    "those who rest make room before strangers": Patch(
        "web/connection_guard.py", "self.strangers or self.resting", "self.resting or self.strangers", "test_requests_and_connections.py::test_who_has_sent_something_keeps_its_connection_while_strangers_crowd_in"
    ),
    "connections are not counted": Patch(
        "web/connection_guard.py", "if len(self.held) >= self.limits.connections:", "if False:", "test_requests_and_connections.py::test_where_all_connections_are_at_work_one_more_is_told_to_come_back"
    ),
    "an answer ends in a reset": Patch(
        "web/connection_guard.py", "        self.transport.write_eof()\n        self.transport.resume_reading()\n", "        self.transport.close()\n", "test_requests_and_connections.py::test_a_megabyte_of_headers_is_refused_and_its_sender_can_read_that"
    ),
    "the log tells addresses": Patch(
        "web/connection_guard.py", "        assert isinstance(transport, asyncio.Transport)\n", "        print(transport.get_extra_info('peername'), file=sys.stderr)\n        assert isinstance(transport, asyncio.Transport)\n", "test_keys_and_privacy.py::test_where_requests_come_from_is_nowhere_to_be_found"
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", PATCHES)
def test_without_its_protection_a_test_fails(what: str, tmp_path: Path) -> None:
    patch = PATCHES[what]
    caught(copy(tmp_path, patch), patch.test)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_with_every_protection_the_same_tests_pass_on_a_copy(tmp_path: Path) -> None:
    done = run(copy(tmp_path), *sorted({patch.test for patch in PATCHES.values()}))
    assert 0 == done.returncode, done.stdout + done.stderr
