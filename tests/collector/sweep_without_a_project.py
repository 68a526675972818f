"""Sweep a collector's data directory as its service does, with a source of rows that fails for one project. Run by tests, as a program."""

import json
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from innerloop_collector.admin.checks import of_unpublished
from innerloop_collector.cli.connection import log_to_stderr
from innerloop_collector.composition.collector import Collector
from innerloop_collector.composition.lifecycle_parts import LifecycleParts
from innerloop_collector.config.paths import Paths
from innerloop_collector.errors import StoreError
from innerloop_collector.query import Archive, Publisher, Rows, settings_of
from innerloop_collector.query.population import Population


class Failing(Rows):
    """Rows that cannot be read for one project."""

    def cells(self, of: Population, *words: Any, **more: Any) -> Any:
        """Fail for that project."""
        if of.project == sys.argv[2]:
            raise StoreError("its rows cannot be read")
        return super().cells(of, *words, **more)


def main() -> None:
    """Sweep DATA at a moment, without the figures of PROJECT."""
    data, _, moment = sys.argv[1:]
    log_to_stderr()
    now = datetime.fromisoformat(moment).astimezone(UTC)
    collector = Collector(Paths(Path(data)), now=lambda: now)
    with closing(collector):
        collector.open()
        store, registry = collector.store, collector.store.registry
        settings = {name: settings_of(registry, name) for name in registry.catalogue.versions}
        publisher = Publisher(Failing(store.engine), Archive(store.releases), lambda: settings, lambda: store.events.committed)
        elsewhere = collector.exporters.erasure_states
        lifecycle = LifecycleParts(
            collector.paths, collector.configuration, collector.now, store, collector.lifecycle.clock, elsewhere, publisher
        )
        swept = lifecycle.sweep.run()
        print(
            json.dumps(
                {
                    "published": sorted({project for project, _ in swept.published}),
                    "unpublished": swept.unpublished,
                    "gone": sorted({one.project for one in swept.gone if one.what == "events"}),
                    "findings": [one.text for one in of_unpublished(publisher.failed)],
                }
            )
        )


main()
