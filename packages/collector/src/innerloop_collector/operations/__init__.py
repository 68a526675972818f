"""What an operator can ask for, the same through the service and on the store itself. May import: core, access, pipeline, store, reports.

Every operation takes and returns what JSON can say, so that the command line can call it here or over HTTP. One module an area.
"""

from typing import Any

from innerloop_collector.access.roles import Role
from innerloop_collector.core import Core
from innerloop_collector.errors import Denied, UsageError
from innerloop_collector.operations.area import Answer, Area, Operation
from innerloop_collector.operations.destinations import Destinations
from innerloop_collector.operations.keys import Keys
from innerloop_collector.operations.projects import Projects
from innerloop_collector.operations.quarantine import Quarantine
from innerloop_collector.operations.reports import Reports
from innerloop_collector.operations.retention import Retention
from innerloop_collector.operations.service import Service

__all__ = ["Answer", "Operation", "Operations"]

_AREAS: tuple[type[Area], ...] = (Projects, Keys, Quarantine, Reports, Retention, Destinations, Service)


class Operations:
    """The operator's side of an open collector."""

    def __init__(self, core: Core) -> None:
        self.known = {one.name: one for area in _AREAS for one in area(core).operations()}

    def call(self, name: str, arguments: dict[str, Any], role: Role = Role.ADMIN) -> Answer:
        """Run an operation by name, for somebody with a role."""
        operation = self.known.get(name)
        if operation is None:
            raise UsageError(f"this collector does not know the operation {name!r}; use the same version at both ends")
        if role < operation.role:
            raise Denied(f"{name} takes the role {operation.role.word}, and this token has {role.word}; ask whoever runs the collector")
        return operation.run(**arguments)
