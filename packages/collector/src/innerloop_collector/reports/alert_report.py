"""The alerts of projects: what became slower or fails more, and a sentence about each."""

from innerloop_collector.query import Alert, Alerts, ProjectAlerts, View

_RULES = (
    "each command and target is looked at once for each day, two days after it: the last two weeks against the six before, for the same developers; what was looked at is not looked at again",
    "an alert needs 8 developers who say as much as if all were equally active, none with over a quarter, and would be told without any one of them too",
    "confirmed: the one or two weeks that came afterwards say so against the quarter before; open: these are not over; gone: they did not",
    "creep: higher than half a year ago for the same developers, little by little; found once a block",
    "what appeared about then may have nothing to do with it",
    "sizes are rounded to 5 % (failures: 2 points), with the ends of a 95 % interval; what stands out was lucky too, so the size of an open alert is rather too large",
)
_FATES = {"open": "not confirmed yet", "confirmed": "confirmed", "gone": "not confirmed by the weeks that followed", "creep": "creep"}


class Told(View, frozen=True):
    """An alert and its sentence."""

    sentence: str
    alert: Alert


class AlertReport(View, frozen=True):
    """The alerts of projects."""

    projects: tuple[ProjectAlerts, ...]
    sentences: tuple[Told, ...]  # the newest first
    rules: tuple[str, ...]


def alert_report(alerts: Alerts, projects: tuple[str, ...], visible: frozenset[str] | None = None) -> AlertReport:
    """Make the report of some projects' alerts, for somebody who may see some projects (None: all)."""
    found = tuple(alerts.of_project(one, visible) for one in projects)
    told = sorted((one for project in found for one in project.alerts), key=lambda one: one.told, reverse=True)
    return AlertReport(found, tuple(Told(sentence(one), one) for one in told), _RULES)


def sentence(alert: Alert) -> str:
    """An alert in words: `build of devstack became about 20% slower around 2026-11-23 (10% to 35%; 35 to 39 developers): confirmed`."""
    kind = "the target " if alert.by == "target" else ""
    size, low, high = (_size(one.value, alert.measure) for one in (alert.size, alert.at_least, alert.at_most))
    became = f"became about {size} slower" if alert.measure == "duration" else f"fails in about {size} more of its runs"
    since = f"than half a year ago, little by little, by {alert.seen}" if alert.fate == "creep" else f"around {alert.since}"
    appeared = ", ".join(f"{one.what} {one.name} (week of {one.day})" for one in alert.appeared)
    about_then = f"; about then appeared: {appeared}" if appeared else ""
    explained = f"; may be explained by the change {', '.join(alert.explained_by)}" if alert.explained_by else ""
    return f"{kind}{alert.name} of {alert.project} {became} {since} ({low} to {high}; {alert.developers} developers): {_FATES[alert.fate]}{explained}{about_then}"


def _size(part: float, measure: str) -> str:
    return f"{part:.0%}" if measure == "duration" else f"{100 * part:.0f} in 100"
