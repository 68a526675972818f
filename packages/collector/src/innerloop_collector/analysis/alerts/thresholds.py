"""How sure a look must be, so that the stated number of false alarms a month comes of it.

Looks overlap and people differ, so no distribution tells it. The tables were measured: teams in which nothing changes but what all share on a day
(tests/evidence/daily.py; `python -m tests.evidence.measure_alerts table` makes them again). They hold for 12 to 100 developers, and for durations and failures alike.
"""

from math import log

import numpy as np

# false alarms of one target and measure in a month of daily looks -> how many errors the rise must be above nothing
_LOOKS = ((0.25, 1.2), (0.18, 1.4), (0.13, 1.6), (0.084, 1.8), (0.056, 2.0), (0.033, 2.2), (0.016, 2.5), (0.0066, 2.8), (0.002, 3.1))
# the part of these that other days confirm -> the same of those days
_CONFIRMED = ((0.3, 0.65), (0.25, 0.8), (0.195, 1.0), (0.15, 1.2), (0.1, 1.4), (0.062, 1.7), (0.04, 2.0), (0.018, 2.4), (0.008, 2.8))
# the part of looks for creep that find any where there is none -> the same of such a look
_CREEP = ((0.115, 0.8), (0.08, 1.0), (0.058, 1.2), (0.033, 1.4), (0.015, 1.7), (0.007, 2.0))


def of_a_look(false_alarms: float) -> float:
    """For so many false alarms of one target and measure in a month."""
    return _between(_LOOKS, false_alarms)


def of_confirmation(part: float) -> float:
    """For so large a part of false alarms to be confirmed all the same."""
    return _between(_CONFIRMED, part)


def of_creep(false_alarms: float) -> float:
    """For so many false alarms of one target and measure in a month, where there is one look in a block of weeks."""
    return _between(_CREEP, false_alarms)


def _between(table: tuple[tuple[float, float], ...], rate: float) -> float:
    """On the line through the two nearest entries, by the logarithm of the rate; beyond the ends, on the last line."""
    at, points = -log(rate), [(-log(one), sure) for one, sure in table]
    if at >= points[-1][0]:
        (x0, y0), (x1, y1) = points[-2:]
        return y1 + (at - x1) * (y1 - y0) / (x1 - x0)
    return float(np.interp(at, [x for x, _ in points], [y for _, y in points]))
