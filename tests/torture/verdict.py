"""What a stopped collector's store holds, compared with what its clients were told."""

from collections import Counter

from innerloop_collector.store.keyed_hash import Hasher
from tests.collector.support import Collector
from tests.torture.senders import Latest


def assert_all_is_there_once(collector: Collector, told: Latest) -> None:
    """Every acknowledged event is stored, or waits, exactly once, and every acknowledged registration is there. Nothing else is."""
    hasher = Hasher((collector.data / "secret").read_bytes())
    stored = Counter(_numbers(collector, "SELECT message_key FROM events"))
    waiting = Counter(_numbers(collector, "SELECT message_key FROM quarantine"))
    good = {hasher.message("acme", one) for one in told.good}
    bad = {hasher.message("acme", one) for one in told.bad}
    assert not good - stored.keys(), f"{len(good - stored.keys())} of {len(good)} acknowledged events are lost"
    assert not bad - waiting.keys(), f"{len(bad - waiting.keys())} of {len(bad)} acknowledged events in quarantine are lost"
    assert stored.keys() <= good, "events are stored that nobody sent"
    assert [] == [key for key, times in (stored + waiting).items() if times > 1], "stored twice"
    positions = _numbers(collector, "SELECT position FROM events")
    assert len(set(positions)) == len(positions), "two events have one position"
    marks = set(_numbers(collector, "SELECT mark FROM registrations"))
    owners = {hasher.mark(hasher.installation("acme", owner.id)): owner for owner in told.owners}
    assert not owners.keys() - marks, "acknowledged registrations are lost"


def _numbers(collector: Collector, sql: str) -> list[int]:
    return [int(row[0]) for row in collector.rows(f"SELECT toString(c) FROM ({sql.replace(' FROM', ' AS c FROM', 1)})")]
