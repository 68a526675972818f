"""May this come in? How fast a write key may send events and ask about ids, and how many new ids it may bring."""

from collections.abc import Callable, Iterable
from datetime import date

import structlog

from innerloop_collector.config.configuration import Limits
from innerloop_collector.http.responses import too_fast, unknown_key
from innerloop_collector.http.token_bucket import Bucket
from innerloop_collector.monitoring.metrics import Metrics
from innerloop_collector.store.catalogue import WriteKey
from innerloop_collector.store.known_ids import KnownIds
from innerloop_collector.store.projects import Registry
from innerloop_collector.store.write_behind import LastUsed

LONGEST_WAIT = 300  # seconds; SDKs take no longer Retry-After for serious
_log = structlog.get_logger()


class RateLimits:
    """Decides, for one request after the other, in the thread that serves."""

    def __init__(
        self, registry: Registry, ids: KnownIds, last_used: LastUsed, limits: Limits, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._ids = ids
        self._last_used = last_used
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._asked: dict[str, Bucket] = {}  # of their own, so that whoever sends too much keeps nobody from an erasure
        self._alerted: dict[str, date] = {}

    def admit(self, key: str, events: int) -> WriteKey:
        """Let a request in. Raises HttpError: for a key that was revoked while the request came in, and for one that sends too fast."""
        found = self._registry.key(key)
        if found is None:
            raise unknown_key()
        self._within_rate(found, max(events, 1))
        self._last_used.note(found.key_hash)
        return found

    def asker(self, key: str | None) -> WriteKey:
        """Whose key asks about ids. It may be revoked or have ended: their secrets open, and the key only says which project is meant.

        Raises HttpError for one that never was.
        """
        found = self._registry.ever(key) if key else None
        if found is None:
            raise unknown_key()
        return found

    def ask(self, key: WriteKey, ids: int) -> None:
        """Let a request about ids in. Raises HttpError for a key with which too many are asked about."""
        if seconds := self._missing(self._asked, key, ids):
            raise too_fast(min(seconds, LONGEST_WAIT), "ids")

    def beyond(self, key: WriteKey, installations: Iterable[int]) -> set[int]:
        """Those of some installations that are beyond the new ids that a key may bring today. What is theirs waits in quarantine."""
        beyond = self._ids.beyond(key.project, key.id, installations)
        if beyond:
            self._alert(key)
        return beyond

    def _within_rate(self, key: WriteKey, events: int) -> None:
        if seconds := self._missing(self._buckets, key, events):
            self._metrics.refused(key.project, events)
            raise too_fast(min(seconds, LONGEST_WAIT))

    def _missing(self, buckets: dict[str, Bucket], key: WriteKey, count: int) -> int:
        """Take from a key's bucket. Returns 0, or after how many seconds there is enough in it."""
        rate, now = self._limits.events_per_second, self._clock()
        if not rate:
            return 0
        bucket = buckets.get(key.key_hash)
        if bucket is None:
            bucket = buckets[key.key_hash] = Bucket(rate, self._limits.burst_events, now)
        return bucket.take(count, now)

    def _alert(self, key: WriteKey) -> None:
        """Say it once a day and key."""
        today = self._registry.today()
        if self._alerted.get(key.key_hash) != today:
            self._alerted[key.key_hash] = today
            _log.warning(
                "too many new ids today; events of more wait in quarantine",
                project=key.project,
                key=key.id,
                most=self._ids.most(key.project),
                mend="say how many developers there are: innerloop-collector projects apply FILE --headcount N",
            )
