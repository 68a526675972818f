"""Target logs made by hand, as the probe would write them. Times in ms."""

import io
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from innerloop.core.targets import target_log
from innerloop.core.targets.target_log import Log

MS = 1_000_000  # ns


BASE = 5_000_000 * MS  # ns: some moment of the monotonic clock


def understand(data: bytes, exit_status: int | None = None, live_at: int | None = None) -> Log:
    """What a log's bytes say."""
    return target_log.understand(io.BytesIO(data), exit_status, live_at)


class HandMade:
    """A log that grows line by line."""

    def __init__(self, base: int = BASE) -> None:
        self.base = base
        self.records: list[str] = []
        self.pid = 1000  # of the shim that comes next

    def line(
        self, target: str, start: int, end: int | None, status: int = 0, *, under: str = "", make: int = 10, flags: str = "",
        directory: str = "/shop", needs: str = "", order: str = "", memory: int = 2000, level: int | None = None,
    ) -> str:  # fmt: skip
        """Add a recipe line; returns its id, which a make below it has as `under`."""
        self.pid += 1
        identity = f"{self.pid}-{self.base + start * MS}"
        depth = str((1 if under else 0) if level is None else level)
        names = [" ".join(map(escape, words.split())) for words in (needs, order)]
        fields = ["b", identity, under, str(make), depth, flags, str(self.base + start * MS), escape(directory), escape(target), *names]
        self.records.append("\t".join(fields))
        if end is not None:
            self.records.append(f"e\t{identity}\t{self.base + end * MS}\t{status}\t4000\t1000\t{memory}")
        return identity

    def recursive(self) -> "HandMade":
        """Add a parallel build in which a target of a sub-make fails."""
        deps = self.line("deps", 0, 600, 2, flags="j")
        self.line("main.o", 5, 90, flags="j")
        for number in range(5):
            self.line(f"l{number}.o", 10 + number * 100, 100 + number * 100, under=deps, make=20, directory="/shop/deps/lua", flags="j")
        self.line("lua.a", 520, 590, 1, under=deps, make=20, directory="/shop/deps/lua", flags="j", needs="l0.o l4.o")
        self.line("lint", 91, 120, 1, flags="j")
        self.line("server.o", 121, 500, flags="j")
        return self

    @property
    def data(self) -> bytes:
        return "".join(record + "\n" for record in self.records).encode()


def escape(name: str) -> str:
    """Escape a name as the shim does: bytes up to the blank, DEL and the percent sign."""
    kept = bytes(byte for byte in range(33, 127) if byte != ord("%")).decode()
    return "".join(one if ord(one) > 127 else quote_from_bytes(one.encode(), safe=kept) for one in name)


@st.composite
def books(draw: st.DrawFn) -> HandMade:
    """A build of makes below makes, whose targets need earlier ones; whether that could happen is nobody's concern."""
    book = HandMade()
    spans = [("", 0, 1000)]
    for number in range(draw(st.integers(1, 12))):
        under, low, high = draw(st.sampled_from(spans))
        start = draw(st.integers(low + 1 if under else low, max(high - 1, low + 1)))
        end = draw(st.none() | st.integers(start, max(high, start)))
        needs = " ".join(draw(st.lists(st.integers(0, 12).map("t{}".format), max_size=4)))
        flags = draw(st.sampled_from(["", "j", "k", "jk", "i"]))
        make = draw(st.integers(1, 3))
        status = draw(st.sampled_from([0, 0, 1, -2]))
        identity = book.line(f"t{number}", start, end, status, under=under, make=make, needs=needs, flags=flags)
        spans.append((identity, start, start if end is None else end))
    return book


def outcomes(log: Log) -> dict[str, str]:
    return {one.name: one.outcome for one in log.targets}
