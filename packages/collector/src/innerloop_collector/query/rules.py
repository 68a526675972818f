"""The release rules: what may be shown of a small team. Pure functions; the only place that decides.

1. A cell counts distinct developers, not runs, and is shown from K developers on.
2. Complement: cells are hidden, the smallest first, until the developers in hidden cells are K or none; the total is of shown cells.
3. Dominance: a cell in which one developer has more than half of the runs, or two more than three quarters, is hidden; so is a sum of time.
4. Differencing: windows are whole calendar weeks of fixed lengths; a cell that differs by fewer than K developers from the same cell of
   another window is hidden in the less usual of the two.
5. Counts are rounded to 5 and shown as `<5` below; the number of developers is not shown where it is the whole team.
6. A p90 needs 20 developers; no minimum, no maximum and nothing about one developer exists.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

K = 5
P90_DEVELOPERS = 20
STEP = 5


@dataclass(frozen=True, slots=True)
class Share:
    """How a quantity is spread over the developers of a cell."""

    total: float
    largest: float  # of one developer
    largest_two: float  # of two together

    @property
    def dominated(self) -> bool:
        """Whether the quantity says more about one or two developers than about the team."""
        return self.largest > 0.5 * self.total or self.largest_two > 0.75 * self.total


NOTHING = Share(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a breakdown, as far as the rules need to know it."""

    name: str
    developers: int
    runs: Share
    differences: tuple[int, ...] = ()  # developers by which it differs from the same cell of other windows


def may_show(cell: Cell, k: int = K) -> bool:
    """Tell whether a cell may be shown for itself."""
    return cell.developers >= k and not cell.runs.dominated and not any(0 < developers < k for developers in cell.differences)


def hidden(cells: Sequence[Cell], developers_in: Callable[[Collection[str]], int], k: int = K) -> frozenset[str]:
    """Name the cells of a breakdown that must be hidden.

    `developers_in` counts the distinct developers in a set of cells.
    """
    out = {cell.name for cell in cells if not may_show(cell, k)}
    shown = sorted((cell for cell in cells if cell.name not in out), key=lambda cell: (cell.developers, cell.runs.total, cell.name))
    while shown and out and 0 < developers_in(out) < k:
        out.add(shown.pop(0).name)
    return frozenset(out)


def may_show_sum(developers: int, share: Share, k: int = K) -> bool:
    """Tell whether the sum of a quantity to which so many developers add may be shown."""
    return developers >= k and not share.dominated


def may_show_part(developers: int, k: int = K) -> bool:
    """Tell whether a figure of a part of a cell's runs may be shown: of those that ended, or were timed."""
    return developers >= k


def may_show_p90(developers: int) -> bool:
    """Tell whether so many developers may have a p90."""
    return developers >= P90_DEVELOPERS


def rounded(count: int) -> int | None:
    """Round a count for showing. None stands for `<5`."""
    if count == 0:
        return 0
    return None if count < STEP else (count + STEP // 2) // STEP * STEP


def shown_developers(developers: int, team: int) -> int | None:
    """The number of developers in a cell. None: it is the whole team, or too small."""
    return None if developers == team else rounded(developers)
