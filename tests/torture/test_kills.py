"""Killed at any instant, at the start and under load: nothing that was acknowledged is lost, nothing is stored twice."""

import contextlib
import random
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.collector.support import COMMAND, PROJECT, Collector
from tests.torture.senders import Senders
from tests.torture.verdict import assert_all_is_there_once


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Victim:
    """A service at one port that is killed and started again."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.port = free_port()
        self.start_seconds = self._time_to_listen()

    def spawn(self) -> "subprocess.Popen[bytes]":
        with (self.collector.directory / "log").open("ab") as log:
            return subprocess.Popen(
                [*COMMAND, "serve", "--port", str(self.port)],
                stdout=log,
                stderr=log,
                env=self.collector.environment,
                cwd=self.collector.directory,
            )

    def live_and_die(self, chance: random.Random, senders: Senders) -> None:
        """Die at an instant of the start, or after some answers were given. To end before the kill would be a failed start."""
        process = self.spawn()
        try:
            ended = self._live(process, chance, senders)
        finally:
            process.kill()
            process.wait()
        assert ended is None, self.collector.log[-3000:]

    def _live(self, process: "subprocess.Popen[bytes]", chance: random.Random, senders: Senders) -> int | None:
        if chance.random() < 0.3:
            time.sleep(chance.uniform(0, self.start_seconds))
        else:
            before = senders.told.acknowledged
            while senders.told.acknowledged == before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.5))
        return process.poll()

    def _time_to_listen(self) -> float:
        began = time.monotonic()
        self.collector.start("--port", str(self.port), "--project-file", str(self.collector.write(PROJECT)))
        self.collector.kill()
        return time.monotonic() - began


def _survives(directory: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    with contextlib.closing(Collector(directory)) as collector:
        victim = Victim(collector)
        with Senders(victim.port, seed=seed) as senders:
            for _ in range(kills):
                victim.live_and_die(chance, senders)
            process = victim.spawn()
            senders.finish()
        process.terminate()
        assert 0 == process.wait(40)
        print(f"{kills} kills, {len(senders.told.good)} events acknowledged, {senders.told.cut} requests cut, {senders.told.statuses}")
        assert_all_is_there_once(collector, senders.told)


@pytest.mark.timeout(300)
def test_eight_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    _survives(tmp_path, 8, seed=7)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2])
def test_five_hundred_kills_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    """Two halves, which run side by side."""
    _survives(tmp_path, 250, seed)
