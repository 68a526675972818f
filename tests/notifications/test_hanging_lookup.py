"""A name whose look-up hangs holds up neither who asks beyond its time, nor the end of the process, nor the service's event loop."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HERE = Path(__file__).parent
_PRINT = """
import time
began = time.monotonic()
try:
    {ask}
except Exception as error:
    print(getattr(error, "reason", error), time.monotonic() - began < 20)
"""
_POST = """
from innerloop_collector.notifications.post import post
"""
_MAIL = """
from datetime import datetime
from innerloop_collector.config.configuration import Channel
from innerloop_collector.notifications.mail import Mail
from innerloop_collector.notifications.notice import Notice
settings = Channel(kind="email", host="mail.invalid", sender="a@example.org", to=("b@example.org",), timeout_seconds=0.5)
"""
_WITHIN = """
import asyncio
from innerloop_collector.http.bounded_client import Bounds, ask_within
from innerloop_collector.http.name_lookups import wait_for_no_lookup
async def serve():
    wait_for_no_lookup()
    await ask_within("GET", "http://provider.invalid/", Bounds(0.5, 9))
"""
ASK = {
    "a webhook": _POST + _PRINT.format(ask='post("http://hooks.invalid/", b"{}", {}, 0.5)'),
    "a mail server": _MAIL + _PRINT.format(ask='Mail(settings, "").send(Notice("a", "test", "a", datetime.now(), (), {}))'),
    "a provider": _WITHIN + _PRINT.format(ask="asyncio.run(serve())"),
}


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library to preload."""
    library = tmp_path_factory.mktemp("hanging") / "hanging.so"
    cache = str(ROOT / ".cache" / "zig")
    command = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "hanging_lookup.c"]
    subprocess.run(command, check=True, env=os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache})
    return library


@pytest.mark.parametrize("whom", ASK)
def test_a_look_up_that_hangs_ends_with_the_time_of_who_asked(hanging: Path, whom: str) -> None:
    environment = {**os.environ, "LD_PRELOAD": str(hanging)}
    ended = subprocess.run([sys.executable, "-c", ASK[whom]], env=environment, capture_output=True, text=True, timeout=60, check=True)

    told, _, in_time = ended.stdout.strip().splitlines()[-1].rpartition(" ")
    assert ("True", True) == (in_time, told in ("no answer: timed out after 0.5 s", "no whole answer within 0.5 s")), ended
