"""Bars on a time axis, of block characters or of ASCII."""

from typing import NamedTuple

from innerloop.tools.timeline import words

FULL, LEFT, RIGHT, SHADES = "\u2588", "\u258c", "\u2590", " \u2591\u2592\u2593\u2588"


class Look(NamedTuple):
    """What the terminal can show."""

    width: int = 80  # columns
    height: int = 24  # lines
    blocks: bool = True  # whether its locale has block characters
    colour: bool = False

    @property
    def gap(self) -> str:
        """What stands for a part of a name that was cut out."""
        return "\u2026" if self.blocks else "..."

    def paint(self, text: str, code: str) -> str:
        """Colour a text; nothing may be told by colour alone."""
        return f"\033[{code}m{text}\033[0m" if self.colour and code and text.strip() else text


class Axis(NamedTuple):
    """Times (ns) from `start` for `length`, on a number of columns."""

    start: int
    length: int
    columns: int
    blocks: bool

    def place(self, moment: int, parts: int = 1) -> int:
        """The column of a moment, or the half column where `parts` is 2."""
        return (moment - self.start) * self.columns * parts // max(self.length, 1)

    def bar(self, start: int, end: int, letter: str = "=") -> str:
        """A bar; one that is too short to be seen takes the least that there is. `letter` is what it is made of without blocks."""
        if not self.blocks:
            return self.line(start, end, letter)
        last = 2 * self.columns - 1
        first = min(self.place(start, 2), last)
        until = max(min(self.place(end, 2), last + 1), first + 1)
        halves = [first <= half < until for half in range(2 * self.columns)]
        pairs = zip(halves[::2], halves[1::2])
        return "".join(FULL if left and right else LEFT if left else RIGHT if right else " " for left, right in pairs).rstrip()

    def line(self, start: int, end: int, letter: str) -> str:
        """A bar of whole columns, all of one letter."""
        first = min(self.place(start), self.columns - 1)
        return " " * first + letter * max(min(self.place(end), self.columns) - first, 1)

    def load(self, spans: "list[tuple[int, int]]") -> str:
        """How full each column is of spans that do not overlap."""
        filled = [0.0] * self.columns
        scale = self.columns / max(self.length, 1)
        for start, end in spans:
            low, high = ((moment - self.start) * scale for moment in (start, end))
            for column in range(max(int(low), 0), min(int(high) + 1, self.columns)):
                filled[column] += max(min(high, column + 1) - max(low, column), 0)
        return "".join(self.shades[0 if share <= 0 else max(min(int(share * 4 + 0.5), 4), 1)] for share in filled).rstrip()

    @property
    def shades(self) -> str:
        """What a column is drawn as in which nothing ran, up to one that is full."""
        return SHADES if self.blocks else " .:=#"

    def ticks(self) -> str:
        """Times along the axis, at round distances."""
        unit = 10 ** (len(str(max(self.length, 1))) - 1)
        steps = [unit * factor // 10 for factor in (1, 2, 5, 10, 20, 50, 100)]
        steps = (
            [60_000_000_000, 300_000_000_000, 600_000_000_000, 1_800_000_000_000, 3_600_000_000_000, *steps]
            if self.length > 120e9
            else steps
        )
        wanted = max(self.columns // 12, 1)
        step = min((one for one in steps if one > 0 and self.length // one <= wanted), default=max(self.length, 1))
        text = ""
        for number in range(self.length // step + 1):
            label = tick(number * step, step)
            at = self.place(self.start + number * step)
            if at + len(label) <= self.columns and (not text or at > len(text)):
                text = f"{text:<{at}}{label}"
        return text


def tick(moment: int, step: int) -> str:
    """A time on the axis, no more exact than the steps."""
    if moment == 0:
        return "0"
    if step >= 60_000_000_000:
        return f"{moment // 60_000_000_000} min"
    if step >= 1_000_000_000:
        return f"{moment // 1_000_000_000} s"
    return f"{moment / 1e9:g} s" if step >= 100_000_000 else words.duration(moment) if step >= 1_000_000 else f"{moment / 1e6:g} ms"
