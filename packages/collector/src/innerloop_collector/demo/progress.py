"""Say what happens: plain lines, and on a terminal a line that moves while work goes on."""

import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_FRAMES = "|/-\\"
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_CLEAR = "\r\x1b[K"


class Progress:
    """Talks to the person watching the demo."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to a stream, by default to standard output."""
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.colour = self.live and not os.environ.get("NO_COLOR")
        self.began = time.monotonic()
        self._note = ""

    def heading(self, text: str) -> None:
        """Begin a part of the story."""
        self.line()
        self.line(self._styled(_BOLD, text))

    def line(self, text: str = "") -> None:
        """Say one line."""
        print(text, file=self.stream, flush=True)

    def quote(self, text: str, mark: str = "  | ") -> None:
        """Show what a command printed."""
        for line in text.replace("\r\n", "\n").strip("\n").split("\n"):
            self.line((self._styled(_DIM, mark) if mark else "") + line.rstrip("\r"))

    def note(self, text: str) -> None:
        """Change the words beside the moving sign."""
        self._note = text

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Show that work goes on, then how long it took."""
        began, self._note = time.monotonic(), ""
        done = threading.Event()
        spinner = threading.Thread(target=self._spin, args=(text, done), daemon=True)
        if self.live:
            spinner.start()
        try:
            yield
        finally:
            done.set()
            if self.live:
                spinner.join()
        self.line(f"  {text} ({time.monotonic() - began:.1f} s)")

    def seconds(self) -> float:
        """Tell for how long this has been going on."""
        return time.monotonic() - self.began

    def _spin(self, text: str, done: threading.Event) -> None:
        for frame in itertools.cycle(_FRAMES):
            self.stream.write(f"{_CLEAR}{frame} {text} {self._note}")
            self.stream.flush()
            if done.wait(0.1):
                break
        self.stream.write(_CLEAR)
        self.stream.flush()

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{_PLAIN}" if self.colour else text
