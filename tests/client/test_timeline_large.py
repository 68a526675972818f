"""Builds as large as a target log can hold: `innerloop timeline` takes seconds and some hundred megabytes for them, in every format."""

import os
import re
import subprocess
import time

import pytest

from tests.client.people import Developer
from tests.client.target_logs import HandMade
from tests.client.test_timeline import remember
from tests.client.test_timeline_page import large

TARGETS = 50_000
LONGEST, MOST = 60.0, 1_000_000  # s of processor time, KB


def of_one_make(targets: int) -> HandMade:
    """One make without jobs, whose targets need what they find."""
    book = HandMade()
    for number in range(targets):
        book.line(f"deep/er/part_{number:06}.o", number * 3, number * 3 + 2, needs=f"deep/er/part_{number - 7:06}.o part_{number}.c")
    return book


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", ["one make", "many jobs", "one make for each target", "all at once"])
def test_a_build_of_fifty_thousand_targets_stays_bounded(agreed: Developer, shape: str) -> None:
    book = HandMade()
    if shape == "one make":
        book = of_one_make(TARGETS)
    elif shape == "many jobs":
        book = large(TARGETS, 64)
    elif shape == "one make for each target":
        for number in range(TARGETS // 2):
            above = book.line(f"dir{number}", number * 10, number * 10 + 9)
            book.line("all", number * 10 + 1, number * 10 + 8, under=above, make=20 + number, directory=f"/shop/dir{number}")
    else:
        for number in range(TARGETS):
            book.line(f"t{number}", number // 100, 10_000 + number, flags="j")
    run = remember(agreed, "make", "test", book=book)
    remember(agreed, "make", "test", book=book)
    for words in (
        (),
        ("--json",),
        ("--format", "html"),
        ("--format", "perfetto"),
        ("--format", "speedscope"),
        ("--compare", run[:8], "last"),
    ):
        with (agreed.directory.parent / "out").open("wb") as out:
            process = subprocess.Popen([agreed.command, "timeline", *words], cwd=agreed.directory, env=agreed.environment(), stdout=out)
            began = time.monotonic()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        took, size = used.ru_utime + used.ru_stime, (agreed.directory.parent / "out").stat().st_size
        print(
            f"{shape}, {' '.join(words) or 'text'}: {took:.1f} s, {used.ru_maxrss >> 10} MB, {size >> 10} KB written, {time.monotonic() - began:.1f} s"
        )
        assert process.returncode == 0
        assert took < LONGEST
        assert used.ru_maxrss < MOST
        assert size > 200


def test_a_name_in_a_log_is_not_longer_than_a_line(agreed: Developer) -> None:
    book = HandMade()
    book.line("x" * 2000, 0, 500, needs="y" * 2000)
    book.line("b", 500, 900)
    remember(agreed, "make", "test", book=book)

    assert max(map(len, re.sub(r"\x1b\[\d+m", "", agreed.innerloop("timeline").out).splitlines())) <= 80
