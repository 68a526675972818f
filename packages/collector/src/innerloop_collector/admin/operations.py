"""What an operator can ask for, the same through the service and on the store itself.

Every operation takes and returns what JSON can say, so that the command line can call it here or over HTTP. One module an area.
"""

from collections.abc import Iterable
from typing import Any

import structlog

from innerloop_collector.access.principal import OPERATOR, Principal, Role
from innerloop_collector.admin.operation import Answer, Area, Operation
from innerloop_collector.errors import Denied, UsageError

_log = structlog.get_logger()


class Operations:
    """The operator's side of an open collector."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self.known = {one.name: one for area in areas for one in area.operations()}

    def call(self, name: str, arguments: dict[str, Any], who: Principal = OPERATOR) -> Answer:
        """Run an operation by name, for somebody. Raises Denied where it is not for them, UsageError for one that does not exist."""
        operation = self.known.get(name)
        if operation is None:
            raise UsageError(f"this collector does not know the operation {name!r}; use the same version at both ends")
        if not who.role.may(operation.role):
            raise Denied(f"{name} needs the role {operation.role.word}; you have {who.role.word}. Ask whoever runs the collector")
        return operation.run(**_within(who, operation, arguments))

    def serve(self, name: str, arguments: dict[str, Any], who: Principal) -> Answer:
        """As `call`, by the service: its log has a line of what changed something, by whom, and of which project. Never of which id, key or token."""
        answer = self.call(name, arguments, who)
        if self.known[name].changes:
            project = answer.get("project")
            _log.info("operated", operation=name, project=project if isinstance(project, str) else None, by=who.label, via=str(who.via))
        return answer


def _within(who: Principal, operation: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an operation, kept to the projects that somebody may see."""
    if operation.takes("reads"):
        arguments = {**arguments, "reads": who.role.may(Role.VIEWER)}
    if operation.takes("visible"):
        return {**arguments, "visible": who.projects}
    if who.projects is not None:
        if not operation.takes("project"):
            raise Denied(f"{operation.name} covers all projects, and you may see only some. Ask whoever runs the collector")
        if not who.sees(str(arguments.get("project"))):
            raise Denied("you may not see this project. Ask whoever runs the collector")
    return arguments
