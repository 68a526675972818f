"""Take rows away so that their bytes are in no file of the store any more.

Rows go by a mutation that rewrites the parts that hold them; a lightweight deletion would only mask them. The mutation's own file names
what was deleted until it is killed, and the engine keeps the parts that it replaced for a while. Erasure, retention and the quarantine's
end all come through here, one at a time.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import structlog

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.mutations import OURS, RowsToDelete, forget_mutations, ours
from innerloop_collector.errors import StoreError

_PATIENCE = 300.0  # seconds for one deletion; on 100 million rows it was measured at 36
_POLL = 0.05
_AT_ONCE = """SELECT name FROM system.tables WHERE database = {database:String} AND name IN {tables:Array(String)}
    AND match(engine_full, 'old_parts_lifetime = 0(\\D|$)')"""
_log = structlog.get_logger()


class Purger:
    """Deletes rows and waits until their bytes have left the files."""

    def __init__(self, engine: Engine, sync: Callable[[], None]) -> None:
        self._engine = engine
        self._layout = engine.layout
        self._ours = ours(engine.layout)
        self.sync = sync  # everything of the store to the disk
        self.alone = threading.RLock()  # held by who purges, and by who must see no purge meanwhile
        self.stopping = threading.Event()

    def purge(self, rows: list[RowsToDelete]) -> None:
        """Delete the rows, for good. Raises StoreError where that cannot be said; it may then be asked again."""
        with self.alone:
            self.keep_replaced_parts_again()
            readings = self._engine.parts_repair.readings
            self.wait_while(self.deleting)  # of an earlier attempt, which may be at work still
            for one in rows:
                self.begin(one)
            self.wait_while(self.deleting)
            if any(self._count(one) for one in rows):
                raise StoreError("rows are there after their deletion")
            self._engine.look_after_parts()
            if self.detached_parts():
                raise StoreError("the engine has set parts aside (detached) that may hold rows of anybody; remove or repair them")
            self.forget_mutations()
            with self._no_merges():
                broken = self._engine.has_broken_parts(schema.HOLDS_INSTALLATIONS)
                if broken or self._engine.parts_repair.readings != readings:  # where a table was read again, the rows may be back
                    raise StoreError("the disk failed: not every file of the parts without the rows could be written")
                self.sync()  # the parts without the rows are safe before those with them go
                self._see_replaced_parts_off()
            self.sync()  # no loss of power brings them back

    def wait_while(self, true: Callable[[], bool]) -> None:
        """Wait until something is over. Raises StoreError when it takes too long, or when the store closes."""
        deadline = time.monotonic() + _PATIENCE
        while true():
            if time.monotonic() > deadline:
                raise StoreError("the deletion takes too long")
            if self.stopping.wait(_POLL):
                raise StoreError("the store is closing")

    def detached_parts(self) -> int:
        """How many parts the engine has set aside as broken; nobody can tell whose rows they hold."""
        sql = f"SELECT count() FROM {self._layout.system('detached_parts')} WHERE {OURS}"
        return int(self._engine.query(sql, self._ours)[0][0])

    def forget_mutations(self) -> None:
        """Remove the files of mutations that are done."""
        forget_mutations(self._engine)

    def _count(self, one: RowsToDelete) -> int:
        return int(self._engine.query(f"SELECT count() FROM {one.table} WHERE {one.where}", dict(one.parameters))[0][0])

    def begin(self, one: RowsToDelete) -> None:
        """Have the engine rewrite the parts that hold the rows."""
        if one.partitioned and not self._layout.cluster:  # a Distributed table does not tell partitions
            found = self._engine.query(f"SELECT DISTINCT _partition_id FROM {one.table} WHERE {one.where}", dict(one.parameters))
            places = [f"IN PARTITION ID '{partition}'" for (partition,) in found]
        else:
            places = [""] if self._count(one) else []
        for place in places:
            self._engine.command(
                f"ALTER TABLE {self._layout.altered(one.table)} DELETE {place} WHERE {one.where} SETTINGS mutations_sync = 0",
                dict(one.parameters),
            )

    def deleting(self) -> bool:
        """Tell whether a mutation is at work. Raises StoreError where one fails; the engine goes on trying."""
        mutations = self._layout.system("mutations")
        sql = f"SELECT latest_fail_reason FROM {mutations} WHERE {OURS} AND NOT is_done ORDER BY latest_fail_reason DESC"
        waiting = self._engine.query(sql, self._ours)
        if waiting and waiting[0][0]:
            raise StoreError(f"rows cannot be deleted: {waiting[0][0][:200]}")
        return bool(waiting)

    @contextlib.contextmanager
    def _no_merges(self) -> Iterator[None]:
        """Let the embedded engine merge nothing: what a merge replaced would go at once, also where what it wrote is not whole."""
        with contextlib.ExitStack() as after:
            if not self._layout.remote:
                after.enter_context(self._engine.mutating)  # who waits for a mutation would wait for the end of this
                after.enter_context(self._engine.parts_repair.beside())
                for table in schema.HOLDS_INSTALLATIONS:
                    after.callback(self._engine.command, f"SYSTEM START MERGES {table}")
                    self._engine.command(f"SYSTEM STOP MERGES {table}")
                self.wait_while(self._merging)  # one that is at its end comes to it
            yield

    def _merging(self) -> bool:
        return bool(self._engine.query(f"SELECT count() FROM system.merges WHERE {OURS}", self._ours)[0][0])

    def _see_replaced_parts_off(self) -> None:
        self.load_replaced_parts()
        left = self.replaced_parts()
        with contextlib.ExitStack() as after:
            for table in schema.HOLDS_INSTALLATIONS:
                after.callback(self.keep_replaced_parts, schema.KEEP_REPLACED_SECONDS, table)
                self.keep_replaced_parts(0, table)
            self.wait_while(lambda: self._remains(left))

    def keep_replaced_parts_again(self) -> None:
        """Have replaced parts stay for a while also where a process that was killed, or a disk that failed, left it at "not at all"."""
        for (table,) in self._engine.query(_AT_ONCE, self._ours):
            _log.warning("replaced parts stay for a while again", table=table)
            self.keep_replaced_parts(schema.KEEP_REPLACED_SECONDS, table.removesuffix("_local"))

    def load_replaced_parts(self) -> None:
        """Wait until the engine has read also those replaced parts that an earlier process left: it does that after it is open."""
        for table in schema.HOLDS_INSTALLATIONS:
            self._engine.command(f"SYSTEM WAIT LOADING PARTS{self._layout.on_cluster} {self._layout.local(table)}")

    def _remains(self, parts: set[tuple[str, str]]) -> bool:
        """Tell whether any of the replaced parts still has its files. Parts that a query reads stay until it ends."""
        for table in schema.HOLDS_INSTALLATIONS:
            self.remove_replaced_parts(table)
        return bool(parts & self.replaced_parts())

    def remove_replaced_parts(self, table: str) -> None:
        """Have the engine remove replaced parts now."""
        # Dropping a partition that cannot exist does nothing but what ends every such statement: removing old parts.
        self._engine.command(f"ALTER TABLE {self._layout.altered(table)} DROP PARTITION ID 'none'")

    def replaced_parts(self) -> set[tuple[str, str]]:
        """The parts that were replaced and whose files are still there: place and name."""
        sql = f"SELECT concat(hostName(), ' ', table), name, _state FROM {self._layout.system('parts')} WHERE {OURS} AND NOT active"
        return {(place, name) for place, name, _ in self._engine.query(sql, self._ours)}

    def keep_replaced_parts(self, seconds: int, table: str) -> None:
        """Say for how long replaced parts of a table stay."""
        self._engine.command(f"ALTER TABLE {self._layout.altered(table)} MODIFY SETTING old_parts_lifetime = {seconds}")
