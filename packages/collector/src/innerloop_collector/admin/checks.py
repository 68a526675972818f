"""What is wrong with a collector, one line each.

A finding says what is wrong and what to do. A note is about what mends itself, or needs no hurry, and fails no check.
"""

import email.utils
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from innerloop_collector.config.configuration import Backup, Check
from innerloop_collector.errors import UsageError
from innerloop_collector.http.bounded_client import Bounds, ask
from innerloop_collector.lifecycle import backup_manifest, erasure_journal
from innerloop_collector.monitoring.status import STUCK_SECONDS, DestinationStatus, DiskStatus, QuarantineStatus, StoreStatus
from innerloop_collector.pipeline.outcome import KEEP_THEIR_BODY, WHAT_TO_DO, Reason

_MANY_PARTS = 1_000  # of one table: the engine slows inserts down from this many in one month on
_BOUNDS = Bounds(seconds=10.0, most=65_536)  # of the answer whose Date is compared
_DAY = 86_400
WHOLE_BLOCK_DAYS = 45  # the longest block, its days of grace, and the day of the sweep
_STILL_COMES = timedelta(days=1)  # what came yesterday or today: more of it is to be expected
_LEFT_OUT_LATELY = timedelta(days=28)  # as long as what is left out would have been news


class Finding(NamedTuple):
    """One thing that is wrong."""

    about: str
    text: str
    note: bool = False


def of_the_store(store: StoreStatus, last_failure: str | None) -> Iterator[Finding]:
    """Judge the store."""
    if last_failure is not None:
        yield Finding("store", f"the last events could not be written: {last_failure}; see the service's log and the disk")
    if store.detached_parts:
        yield Finding(
            "store", f"the engine has set {store.detached_parts} parts aside (detached) that may hold anybody's rows; repair or remove them"
        )
    if store.failing_mutations or store.stuck_mutations:
        yield Finding(
            "store",
            f"{store.failing_mutations} mutations fail and {store.stuck_mutations} take longer than {STUCK_SECONDS // 60} minutes, "
            "so rows that must go are still there; see the disk and the service's log",
        )
    for name, table in store.tables.items():
        if table.parts > _MANY_PARTS:
            yield Finding("store", f"the table {name} has {table.parts} parts, so merges do not keep up; see cpu and disk")
    if store.unfinished_erasures:
        text = f"{store.unfinished_erasures} erased ids may have bytes left; the running service goes on with them"
        yield Finding("erasures", text, note=True)


def of_the_releases(trouble: Exception | None) -> Iterator[Finding]:
    """Say why nothing is published."""
    if trouble is not None:
        yield Finding("releases", f"{trouble}; until then nothing is published, and no row is removed that was not")


def of_unpublished(failed: Mapping[str, str]) -> Iterator[Finding]:
    """Say which projects' figures were due and could not be published."""
    for project, why in failed.items():
        text = f"the figures of {project} that are due could not be published ({why}), so its rows are kept"
        yield Finding("releases", f"{text}; the service tries again every few minutes; see its log")


def of_alerts(failed: Mapping[str, str]) -> Iterator[Finding]:
    """Say which projects could not be looked at for alerts."""
    for project, why in failed.items():
        yield Finding(
            "alerts", f"{project} could not be looked at for alerts ({why}); the next day's look tries again; see the service's log"
        )


def of_short_retention(kept: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    """Say of which projects rows go before a block is published, or those by which developers count in it: by how many days and active weeks."""
    for project, (days, min_active_weeks) in kept.items():
        needed = WHOLE_BLOCK_DAYS + 7 * min_active_weeks
        if days < needed:
            text = f"{project} keeps rows for {days} days, so some are gone before a block of weeks is published, or developers do not count in it"
            yield Finding("releases", f"{text}; {needed} days are enough", note=True)


def of_a_throw_away_store(*, throw_away: bool) -> Iterator[Finding]:
    """Say what a throw-away store is not for."""
    if throw_away:
        text = "this is a throw-away store, for trying: reports show the running week too, so asking twice can show what one person did"
        yield Finding("store", f"{text}; measure nobody with it", note=True)


def of_a_simulated_clock(now: datetime) -> Iterator[Finding]:
    """Say that what is in the store never happened."""
    yield Finding("clock", f"SIMULATED: this store is filled by a simulation, and its clock stands at {now.isoformat()}", note=True)


def of_the_disk(disk: DiskStatus, wanted: Check) -> Iterator[Finding]:
    """Judge the data directory's file system."""
    if disk.free < min(wanted.disk_free_bytes, disk.total // 20):
        yield Finding(
            "disk", f"{disk.free / 1e9:.1f} GB are free ({disk.free / disk.total:.0%}); a full disk refuses events: make room, or keep less"
        )
    if disk.clock_skew is None:
        yield Finding("disk", "no file can be made in the data directory; see whether its disk is full or read-only")
    elif abs(disk.clock_skew) > wanted.clock_seconds:
        yield Finding("clock", f"the disk's clock is {disk.clock_skew:+.0f} s from this machine's; set both by NTP")


def of_the_stores_clock(store: StoreStatus, now: float, wanted: Check) -> Iterator[Finding]:
    """Judge the engine's clock. `now` is Unix seconds."""
    if abs(store.clock - now) > wanted.clock_seconds:
        yield Finding("clock", f"the store's clock is {store.clock - now:+.0f} s from this machine's; set both by NTP")


def of_the_believed_clock(doubt: str | None) -> Iterator[Finding]:
    """Judge whether rows go in their time: not by a clock that jumped."""
    if doubt is not None:
        yield Finding(
            "retention",
            f"{doubt}, so nothing is removed by its age; set the clock by NTP, or, if it is right, see what would be removed: innerloop-collector retain --dry-run, "
            "and remove it: innerloop-collector retain",
        )


def of_another_clock(wanted: Check) -> Iterator[Finding]:
    """Judge this machine's clock by that of the address that was configured."""
    if not wanted.clock_url:
        return
    try:
        said = ask("HEAD", wanted.clock_url, _BOUNDS).headers["Date"]
        distance = email.utils.parsedate_to_datetime(said).timestamp() - time.time()
    except (httpx2.HTTPError, httpx2.InvalidURL, KeyError, ValueError) as error:
        yield Finding("clock", f"check.clock_url tells no time ({type(error).__name__}); correct it or leave it out")
        return
    if abs(distance) > wanted.clock_seconds + 1:  # a Date has whole seconds
        yield Finding("clock", f"this machine's clock is {-distance:+.0f} s from that of check.clock_url; set it by NTP")


def of_the_quarantine(waiting: Iterable[QuarantineStatus], today: date) -> Iterator[Finding]:
    """Judge what waits: to its sender it is delivered, so nobody else says that it goes.

    What nothing can release is wrong for as long as more of it comes, and a note afterwards.
    """
    for one in waiting:
        kept = one.reason in KEEP_THEIR_BODY
        count = "1 event waits" if one.events == 1 else f"{one.events} events wait"
        text = f"{one.project}: {count} in quarantine ({one.reason}), the first until it is removed on {one.removed_on}"
        what = WHAT_TO_DO[Reason(one.reason)].replace("PROJECT", one.project) if one.reason in set(Reason) else "see: quarantine list"
        yield Finding("quarantine", f"{text}; {what}", note=not kept and one.last_day < today - _STILL_COMES)


def of_the_quarantine_limit(full: Iterable[str]) -> Iterator[Finding]:
    """Judge whether what does not fit a plan is kept still."""
    for project in full:
        yield Finding(
            "quarantine",
            f"what came into the quarantine of {project} today is as much as is kept, or nearly; more is counted and not kept. "
            f"See: innerloop-collector quarantine list; apply the plan that is missing, or raise limits.quarantine_bytes_per_day",
        )


def of_the_destinations(destinations: Iterable[DestinationStatus]) -> Iterator[Finding]:
    """Judge how what was stored is passed on."""
    destinations = list(destinations)
    if waiting := [one for one in destinations if one.state == "waiting"]:
        names = ", ".join(one.name for one in waiting)
        yield Finding(
            "store",
            f"the destinations ({names}) wait, as the store cannot be read or written: {waiting[0].last_error}; see the service's log and the disk",
        )
    for one in destinations:
        if one.state == "failing":
            late = f"{one.behind_events} events, {one.behind_seconds:.0f} s"
            yield Finding(
                "destinations",
                f"the destination {one.name} fails ({one.last_error}) and is behind by {late}; see: innerloop-collector destinations status",
            )
        if one.set_aside:
            yield Finding(
                "destinations",
                f"the destination {one.name} does not take {one.set_aside} events; see: innerloop-collector destinations set-aside {one.name}",
                note=True,
            )
        if one.state == "paused":
            yield Finding("destinations", f"the destination {one.name} is paused and {one.behind_events} events behind", note=True)


def of_the_channels(channels: Iterable[Mapping[str, Any]], today: date) -> Iterator[Finding]:
    """Judge whether people are told what they are to be told."""
    for one in channels:
        name, waiting = one["channel"], one["waiting"]
        see = "see: innerloop-collector notifications status"
        if one["state"] == "failing":
            wait = "1 notice waits" if waiting == 1 else f"{waiting} notices wait"
            yield Finding("notifications", f"the channel {name} fails ({one['last_error']}) and {wait} for it; {see}")
        if one["complaint"]:
            yield Finding("notifications", f"the channel {name} took the last notice, but {one['complaint']}; {see}", note=True)
        for why in one["misses"]:
            yield Finding("notifications", f"the channel {name} {why}; {see}")
        if one["last_left_out"] and date.fromisoformat(one["last_left_out"]) >= today - _LEFT_OUT_LATELY:
            what = f"{one['left_out']} notices, the last on {one['last_left_out']}"
            text = f"the channel {name} was not told of {what}: they waited for too long, were too many, or it did not take them"
            yield Finding("notifications", f"{text}; {see}", note=True)


def of_the_backups(now: float, wanted: Check) -> Iterator[Finding]:
    """Judge the age of the newest backup. `now` is Unix seconds."""
    if not wanted.backups:
        return
    try:
        newest = max(filter(None, map(_made, Path(wanted.backups).iterdir())), default=None)
    except OSError as error:
        yield Finding("backups", f"cannot look into {wanted.backups}: {error.strerror}; correct check.backups")
        return
    if newest is None:
        yield Finding("backups", f"there is no backup in {wanted.backups}; make one: innerloop-collector backup DIR")
    elif now - newest > wanted.backup_days * _DAY:
        yield Finding("backups", f"the newest backup in {wanted.backups} is {(now - newest) / _DAY:.0f} days old; see what makes them")


def of_the_known_backups(known: Callable[[], object]) -> Iterator[Finding]:
    """Judge whether it is known where backups are."""
    try:
        known()
    except UsageError as error:
        yield Finding("backups", str(error))


def of_the_journals(settings: Backup, erased: Collection[int] = ()) -> Iterator[Finding]:
    """Judge whether the copies of the erasure journal can be read and written, and know all marks that were erased."""
    for path in map(Path, settings.journals):
        if why := _unusable(path):
            text = f"the copy {path} of the erasure journal cannot be read and written ({why}), so it misses who was erased"
            yield Finding("erasures", f"{text}; mount its disk, make its directory, or correct backup.journals")
        elif missing := _missing(path, erased):
            text = f"the copy {path} of the erasure journal misses {missing} of {len(erased)} erased ids, who would come back by it"
            yield Finding("erasures", f"{text}; the next sweep adds them, or now: innerloop-collector retain")


def _missing(path: Path, erased: Collection[int]) -> int:
    """How many erased ids a copy does not know."""
    try:
        return len(set(erased) - {one.mark for one in erasure_journal.read_if_there(path)})
    except OSError:
        return len(erased)


def _unusable(path: Path) -> str | None:
    """Why a file cannot be read and written, or made."""
    try:
        if not os.path.lexists(path):
            os.stat(path.parent)
            return None if os.access(path.parent, os.W_OK) else "no permission, or a read-only disk"
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return "it is no file"
        return None if os.access(path, os.R_OK | os.W_OK) else "no permission, or a read-only disk"
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


def _made(backup: Path) -> float | None:
    """When a backup was made (Unix seconds), by its manifest: its files change when somebody is erased. None: it is none."""
    made = backup_manifest.made(backup)
    return made.timestamp() if made else None
