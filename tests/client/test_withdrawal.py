"""Consent withdrawn at any point of a run's life, and projects swapped under it: nothing leaves that was not agreed to.

`stop-at N COMMAND...` (compiled here) stops a process after its Nth system call. There it stands while its developer
opts out; then it goes on. What it knew before must be worth nothing afterwards.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from innerloop.tools.diagnosis import ledger
from tests.client.people import PATIENCE, Developer, eventually
from tests.client.recorder import Recorder, Reply
from tests.needs import need

STOP_AT = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    long wanted = atol(argv[1]), calls = 0;
    int status, entering = 1, pass = 0;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        dup2(2, 1);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    while (calls != wanted || wanted == 0) {
        ptrace(PTRACE_SYSCALL, child, 0, pass);
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status)) break;
        pass = WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) calls += entering, entering = !entering;
    }
    if (WIFSTOPPED(status)) {
        ptrace(PTRACE_DETACH, child, 0, SIGSTOP);
        waitpid(child, &status, WUNTRACED);
        printf("%d\n", WIFSTOPPED(status) ? child : 0);
        fflush(stdout);
        if (WIFSTOPPED(status)) waitpid(child, &status, 0);
    } else printf("0\n");
    printf("%ld\n", calls);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
"""


@pytest.fixture(scope="session")
def stop_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that stops another after a number of system calls."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc: nothing can be stopped at a system call here")
    program = tmp_path_factory.mktemp("stop-at") / "stop-at"
    done = subprocess.run([compiler, "-O", "-x", "c", "-", "-o", program], input=STOP_AT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


class Stopped(NamedTuple):
    """A process that stands still, or ended before it came to the point."""

    tracer: "subprocess.Popen[str]"
    pid: int  # 0: it has ended

    def goes_on(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):  # whoever leaves may end a sender
                os.kill(self.pid, signal.SIGCONT)

    def end(self) -> int:
        """Wait for the end; tell how many system calls it made until it was stopped."""
        assert self.tracer.stdout is not None
        calls = int(self.tracer.stdout.readline())
        self.tracer.wait(PATIENCE)
        return calls


@contextlib.contextmanager
def stopped(developer: Developer, program: Path, point: int, *argv: str | Path) -> Iterator[Stopped]:
    """Start a command and let it stand still after its system call number `point`."""
    words = [str(program), str(point), *map(str, argv)]
    with subprocess.Popen(
        words, cwd=developer.directory, env=developer.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as tracer:  # fmt: skip
        assert tracer.stdout is not None
        try:
            yield Stopped(tracer, int(tracer.stdout.readline()))
        finally:
            tracer.stdout.close()
            if tracer.poll() is None:
                tracer.kill()


def calls_of(developer: Developer, program: Path, *argv: str | Path) -> int:
    """How many system calls a command makes when nobody stops it."""
    with stopped(developer, program, 0, *argv) as whole:
        return whole.end()


def quiet_spool(developer: Developer) -> dict[str, list[str]]:
    """What is left in the spool, sidecars and temporary files too."""
    return {
        place: left
        for place in ("run", "new", "sealed", "quarantine")
        if (left := [path.name for path in (developer.spool / place).iterdir()])
    }  # fmt: skip


def remains(developer: Developer) -> dict[str, object]:
    """What is wrong after a no and the end of whatever was at work; nothing should be."""
    eventually(lambda: quiet_spool(developer) == {}, 2)
    counted = ledger.count(str(developer.spool))
    wrong = {
        "left": quiet_spool(developer),
        "ledger": counted if counted.missing or counted.queued or counted.unfinished or counted.quarantined else {},
        "enabled": (developer.state / "enabled").exists(),
        "decision": developer.consent["decision"],
    }
    return {what: found for what, found in wrong.items() if found}


# a launcher


def use_hot(_developer: Developer) -> None:
    """The launcher believes its cache."""


def use_sources(developer: Developer) -> None:
    """The launcher must ask the sources."""
    os.utime(developer.project_file)


def withdraw_during_a_run(
    developer: Developer, server: Recorder, program: Path, points: "list[tuple[Callable[[Developer], None], int]]"
) -> None:
    """At each point: a launcher stands still, its developer leaves, it goes on. Then a new yes: nothing of before arrives."""
    wrong, stood = {}, 0
    for prepare, point in points:
        developer.opt_in("yes")
        developer.run("make", "test")
        prepare(developer)
        with stopped(developer, program, point, developer.command, "run", "--", "true") as launcher:
            assert developer.opt_out().status == 0
            stood += launcher.pid > 0
            launcher.goes_on()
            launcher.end()
        if found := remains(developer):
            wrong[prepare.__name__, point] = found
    assert wrong == {}
    assert stood >= 0.9 * len(points), "the others ended before they came to the point"
    developer.opt_in("yes")
    developer.flush()
    assert server.connections == 0
    counted = developer.ledger()
    assert counted["recorded"] == counted["dropped"]["withdrawn"] >= len(points)


def in_a_checkout(developer: Developer) -> Developer:
    """Let git have facts to write."""
    developer.git("init", "-q")
    developer.git("commit", "-q", "--allow-empty", "-m", "first")
    return developer


def spread(first: int, last: int, count: int) -> list[int]:
    """So many different numbers, evenly from first to last."""
    step = (last - first) / max(count - 1, 1)
    return sorted({round(first + index * step) for index in range(count)})


class Lengths(NamedTuple):
    """How many system calls a run makes until the launcher decides, in all, and in all where it asks the sources."""

    decides: int
    whole: int
    asking: int


def lengths(developer: Developer, program: Path) -> Lengths:
    developer.opt_in("yes")
    developer.run("true")
    whole = calls_of(developer, program, developer.command, "run", "--", "true")
    use_sources(developer)
    asking = calls_of(developer, program, developer.command, "run", "--", "true")
    developer.opt_out()
    assert asking > whole + 200
    return Lengths(whole - 130, whole, asking)


def test_consent_withdrawn_at_a_few_points_of_a_run(stop_at: Path, developer: Developer, server: Recorder) -> None:
    long = lengths(in_a_checkout(developer), stop_at)
    hot = [long.decides, *(long.whole - back for back in (30, 5, 4, 3, 2, 1))]
    asking = [long.asking - 300, long.asking - 100]
    withdraw_during_a_run(developer, server, stop_at, [*((use_hot, point) for point in hot), *((use_sources, point) for point in asking)])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_consent_withdrawn_at_130_points_of_a_run(stop_at: Path, developer: Developer, server: Recorder) -> None:
    long = lengths(in_a_checkout(developer), stop_at)
    hot = [*spread(1, long.decides, 10), *spread(long.decides + 1, long.whole - 11, 59), *range(long.whole - 10, long.whole)]
    points = [*((use_hot, point) for point in hot), *((use_sources, point) for point in spread(long.decides, long.asking - 1, 51))]
    assert len(points) == 130
    withdraw_during_a_run(developer, server, stop_at, points)


# delivery, and whatever else seals


FLUSH, DELIVER, REPORT = ("flush",), ("deliver",), ("report",)


def decided(developer: Developer) -> bool:
    return developer.consent["decision"] is False


def three_runs(developer: Developer, sealed: bool) -> None:
    """A new yes, and three runs that the next delivery takes."""
    developer.opt_in("yes")
    for _ in range(3):
        developer.run("true")
    if sealed:
        developer.pending()
        developer.let_releases_pass()
    developer.make_delivery_due()


def withdraw_while_it_works(
    developer: Developer, server: Recorder, program: Path, points: list[tuple[tuple[str, ...], int]], until_the_end: bool = False
) -> None:
    """At each point: a command stands still, its developer leaves, it goes on as soon as the no is written, or after opt-out."""
    wrong, stood = {}, 0
    for words, point in points:
        three_runs(developer, sealed=words == DELIVER)
        with stopped(developer, program, point, developer.command, *words) as working:
            leaving = developer.start(developer.command, "opt-out")
            assert eventually(lambda: decided(developer))
            stood += working.pid > 0
            if not until_the_end:
                working.goes_on()
            assert leaving.wait(PATIENCE) == 0
            time.sleep(0.05)  # a request that was under way is counted by another thread of ours
            arrived = server.connections
            if until_the_end:
                working.goes_on()
            working.end()
        found = remains(developer)
        if server.connections != arrived:
            found["arrived after opt-out returned"] = server.connections - arrived
        if found:
            wrong[words, point] = found
    assert wrong == {}
    assert stood >= 0.9 * len(points), "the others ended before they came to the point"
    before = len(server.requests)
    developer.opt_in("yes")
    developer.flush()
    assert len(server.requests) == before
    counted = developer.ledger()
    assert counted["recorded"] == counted["dropped"].get("withdrawn", 0) + counted["acknowledged"]


def calls_of_work(developer: Developer, program: Path, *words: str) -> int:
    """How many system calls a delivery, or something else that seals, makes for three runs."""
    three_runs(developer, sealed=words == DELIVER)
    calls = calls_of(developer, program, developer.command, *words)
    developer.opt_out()
    return calls


def test_consent_withdrawn_at_a_few_points_of_a_delivery(stop_at: Path, developer: Developer, server: Recorder) -> None:
    flush = calls_of_work(developer, stop_at, *FLUSH)
    points = [(FLUSH, flush - back) for back in (320, 150, 60)]
    withdraw_while_it_works(developer, server, stop_at, points)


def test_a_sender_that_was_suspended_while_its_developer_left_sends_nothing_more(
    stop_at: Path, developer: Developer, server: Recorder
) -> None:
    """It stands between its last look at the answer and its request."""
    point = point_before_the_request(developer, stop_at, calls_of_work(developer, stop_at, *FLUSH))
    arrived = len(server.requests)
    withdraw_while_it_works(developer, server, stop_at, [(FLUSH, point)], until_the_end=True)
    assert len(server.requests) == arrived


def point_before_the_request(developer: Developer, program: Path, whole: int) -> int:
    """The last system call of a delivery that comes before it sets its alarm: from then on it looks at the answer again and again."""
    three_runs(developer, sealed=False)
    found = need("strace")
    trace = developer.base / "trace-of-a-flush"
    assert developer.execute(found, "-o", trace, developer.command, "flush").status == 0
    developer.opt_out()
    lines = [line for line in trace.read_text().splitlines() if not line.startswith(("---", "+++"))]
    (alarmed, *_) = (number for number, line in enumerate(lines) if line.startswith("setitimer("))
    assert abs(len(lines) - whole) < 400
    return alarmed - 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_consent_withdrawn_at_60_points_of_deliveries_and_reports(stop_at: Path, developer: Developer, server: Recorder) -> None:
    sizes = {words: calls_of_work(developer, stop_at, *words) for words in (FLUSH, DELIVER, REPORT)}
    backs = {FLUSH: spread(1, 400, 34), DELIVER: spread(1, 400, 15), REPORT: spread(1, 300, 11)}
    points = [(words, sizes[words] - back) for words in sizes for back in backs[words]]
    assert len(points) == 60
    withdraw_while_it_works(developer, server, stop_at, points)


def withdraw_during_batches(developer: Developer, server: Recorder, batch: int, wait: float) -> None:
    """Leave `wait` seconds after the nth of three batches arrived, each of which the collector takes a while to answer."""
    developer.project().opt_in("yes")
    developer.run("true")
    developer.pending()
    developer.pretend_sealed(1100)
    server.requests.clear()
    server.always(Reply(wait=0.3))
    sending = developer.start(developer.command, "flush")
    assert eventually(lambda: len(server.requests) == batch)
    time.sleep(wait)
    assert developer.opt_out().status == 0
    time.sleep(0.05)
    arrived = server.connections
    sending.wait(PATIENCE)
    assert server.connections == arrived
    assert batch <= len(server.requests) <= batch + 1
    assert remains(developer) == {}
    counted = developer.ledger()
    assert counted["recorded"] == counted["dropped"].get("withdrawn", 0) + counted["acknowledged"] == 1101


@pytest.mark.parametrize(("batch", "wait"), [(1, 0.0), (1, 0.28), (2, 0.1)])
def test_consent_withdrawn_during_a_request_or_between_two(
    hire: Callable[..., Developer], server: Recorder, batch: int, wait: float
) -> None:
    withdraw_during_batches(hire(), server, batch, wait)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_consent_withdrawn_at_10_instants_of_requests(hire: Callable[..., Developer], server: Recorder) -> None:
    for number, wait in enumerate([0.05, 0.1, 0.15, 0.2, 0.22, 0.24, 0.26, 0.27, 0.29, 0.32]):
        withdraw_during_batches(hire(f"developer-{number}"), server, 1 + number % 2, wait)


# the project file, swapped by git


@pytest.fixture
def branches(developer: Developer, server: Recorder) -> Iterator[Recorder]:
    """A repository whose branches have other project files; the endpoint that one of them names."""
    with Recorder() as elsewhere:
        developer.git("init", "-q", "-b", "main")
        good = dict(developer.tables)

        def commit(branch: str, change: Callable[[], object]) -> None:
            developer.git("checkout", "-q", "-B", branch)
            change()
            developer.git("add", "-A")
            developer.git("commit", "-q", "-m", branch)
            developer.tables = dict(good)
            developer.git("checkout", "-q", "main")

        developer.git("add", "-A")
        developer.git("commit", "-q", "-m", "first")
        commit("endpoint", lambda: developer.edit(project={"endpoint": elsewhere.url}))
        commit("project", lambda: developer.edit(project={"id": "other", "write_key": "other.first"}))
        commit("organisation", lambda: developer.edit(project={"organisation": "Somebody Else"}))
        commit("fields", lambda: developer.edit(fields={"git_commit_time": True}))
        commit("recipients", lambda: developer.edit(recipients=[{"name": "Ads Inc", "receives": "events"}]))
        commit("names", lambda: developer.edit(names={"allow": ["build"]}))
        commit("broken", lambda: developer.write("[project\n"))
        commit("none", developer.project_file.unlink)
        developer.opt_in("yes")
        yield elsewhere


ELSEWHERE = ["endpoint", "project", "organisation", "fields", "recipients", "broken", "none"]


def tries_to_deliver(developer: Developer) -> None:
    """In every way in which something may leave."""
    developer.run("make", "test")
    for spool in (developer.state / "spool").iterdir():
        os.utime(spool / "next", (0, 0))
    assert developer.innerloop("deliver").status == 0
    developer.flush()


@pytest.mark.parametrize("branch", ELSEWHERE)
def test_a_checkout_in_the_middle_of_a_run_lets_nothing_leave_and_loses_nothing(
    developer: Developer, server: Recorder, branches: Recorder, branch: str
) -> None:
    developer.run("make", "build")
    running = developer.start(developer.command, "run", "--", "make", "slow")
    assert eventually(lambda: developer.place("run"))
    developer.git("checkout", "-q", branch)
    assert running.wait(PATIENCE) == 0
    tries_to_deliver(developer)
    assert (server.connections, branches.connections) == (0, 0)
    developer.git("checkout", "-q", "main")
    assert developer.flush().status == 0
    assert sorted(event["properties"]["command"] for event in server.events) == ["build", "slow"]
    assert developer.ledger()["acknowledged"] == 2
    assert branches.connections == 0


@pytest.mark.parametrize("branch", ELSEWHERE)
def test_a_checkout_between_record_and_delivery_lets_nothing_leave_and_loses_nothing(
    developer: Developer, server: Recorder, branches: Recorder, branch: str
) -> None:
    developer.run("make", "build")
    developer.pending()
    developer.let_releases_pass()
    developer.run("make", "test")
    developer.git("checkout", "-q", branch)
    tries_to_deliver(developer)
    assert (server.connections, branches.connections) == (0, 0)
    developer.git("checkout", "-q", "main")
    assert developer.flush().status == 0
    assert sorted(event["properties"]["command"] for event in server.events) == ["build", "test"]
    assert developer.ledger()["acknowledged"] == 2


def test_a_checkout_with_fewer_names_takes_the_others_back_before_they_leave(
    developer: Developer, server: Recorder, branches: Recorder
) -> None:
    """What has its final bytes already is given up, the rest is `other`."""
    developer.run("make", "fail")
    developer.pending()
    developer.run("make", "build")
    running = developer.start(developer.command, "run", "--", "make", "slow")
    assert eventually(lambda: developer.place("run"))
    developer.git("checkout", "-q", "names")
    assert running.wait(PATIENCE) == 0
    developer.flush()
    assert sorted(event["properties"]["command"] for event in server.events) == ["build", "other"]
    counted = developer.ledger()
    assert (counted["acknowledged"], counted["dropped"]) == (2, {"narrowed": 1})


OF_GIT = {"checkout_age", "git_checked_out_master"}


def test_checkouts_again_and_again_while_runs_and_deliveries_go_on_send_only_what_was_agreed(
    developer: Developer, server: Recorder, branches: Recorder
) -> None:
    """Whatever was swapped when: no other endpoint hears anything, and no key, field or name is another branch's."""
    script = "for i in $(seq 40); do innerloop run -- make test; done"
    running = developer.start("sh", "-c", script)
    for number in range(1000):
        if running.poll() is not None:
            break
        developer.git("checkout", "-q", [*ELSEWHERE, "main"][number % 8])
        if number % 4 == 3:
            developer.start(developer.command, "flush").wait(PATIENCE)
    assert running.wait(PATIENCE) == 0
    developer.git("checkout", "-q", "main")
    assert developer.flush().status == 0
    assert branches.connections == 0
    assert {request.key for request in server.requests} == {"shop.first"}
    assert {request.document["context"]["plan"] for request in server.requests} == {developer.status()["plan"]}
    whole = max((set(event["properties"]) for event in server.events), key=len)
    assert all(whole - set(event["properties"]) <= OF_GIT for event in server.events), "git may be slower than a command"
    assert {event["properties"]["command"] for event in server.events} <= {"test", "other"}
    counted = developer.ledger()
    assert counted["acknowledged"] == counted["recorded"] == len({event["messageId"] for event in server.events})
