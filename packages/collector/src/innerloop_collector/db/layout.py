"""Where tables lie: on one node, or on every node of a cluster behind Distributed tables of the same names.

Reading and inserting say `events` in both cases. What changes tables, and what looks at the engine's own tables, asks here for the name.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a store."""

    remote: bool = False  # a server's, by URL; not this process's
    database: str = "default"
    cluster: str = ""  # empty: one node

    @property
    def kind(self) -> str:
        """What the store is, in a word."""
        return "cluster" if self.cluster else "server" if self.remote else "embedded"

    @property
    def on_cluster(self) -> str:
        """The clause that has a statement run on every node."""
        return f" ON CLUSTER `{self.cluster}`" if self.cluster else ""

    def local(self, table: str) -> str:
        """The table that holds a node's own rows."""
        return f"{table}_local" if self.cluster else table

    def locals(self, tables: Iterable[str]) -> list[str]:
        """The tables that hold a node's own rows."""
        return [self.local(table) for table in tables]

    def altered(self, table: str) -> str:
        """What follows ALTER TABLE, TRUNCATE TABLE or DELETE FROM."""
        return self.local(table) + self.on_cluster

    def system(self, table: str) -> str:
        """One of the engine's own tables, of every node."""
        return f"clusterAllReplicas('{self.cluster}', system.{table})" if self.cluster else f"system.{table}"
