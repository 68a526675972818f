"""Figures at once, for a store that is made to try things: the same rules over what is there now, and kept nowhere.

Asking twice can show what one person did in between, so no store with people's events in it is made like this.
"""

from datetime import date

from msgspec.structs import replace

from innerloop_collector.query.population import Population, Settings
from innerloop_collector.query.releases import document
from innerloop_collector.query.releases.contribution import weighed, weights
from innerloop_collector.query.releases.critical import publish_critical
from innerloop_collector.query.releases.document import NOW, VERSION, Release
from innerloop_collector.query.releases.habits import publish_habits
from innerloop_collector.query.releases.publication import Publication, Slot, publish_week
from innerloop_collector.query.releases.publisher import Source
from innerloop_collector.query.releases.shown import WHOLE

_ALL = 2**63


def at_once(source: Source, project: str, settings: Settings, span: tuple[date, date], today: date) -> Release:
    """What may be shown of a span of weeks now."""
    of = Population(project, span[0], settings.min_weeks, _ALL, today, settings.retention_days, settings.sessions, every=True)
    of = source.known(of, *span)
    cells = source.cells(of, *span, _ALL).get(None, {})
    whole = cells.get(WHOLE, {})
    weight = weights(whole)
    inside = {key: weighed(people, weight) for key, people in cells.items() if key != WHOLE}
    found = publish_week(weighed(whole, weight), inside, settings.k)
    classes = {key: weighed(people, weight) for key, people in source.classes(of, *span, _ALL).get(None, {}).items()}
    slots = [Slot(weighed(whole, weight), inside, found.shown), Slot({}, {}, {})]
    own_ms = {key: weighed(people, weight) for key, people in source.critical(of, *span, _ALL).get(None, {}).items()}
    splits = publish_habits(slots, Publication(), [classes, {}], settings.k)
    blank = Release(VERSION, project, NOW, today, 0, settings.k, settings.min_weeks, ())
    behind = ((key, len(one.people)) for key, one in found.shown.items())
    return replace(
        blank,
        atoms=document.atoms(found),
        hidden=document.hidden(found),
        people=document.people(behind),
        critical=publish_critical(slots, Publication(), [own_ms, {}], settings.k),
        splits=document.splits(splits),
    )
