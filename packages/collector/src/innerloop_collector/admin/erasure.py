"""Operations on erasure. May import: core, access, the store's eraser, errors."""

import concurrent.futures

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.errors import StoreError, UsageError
from innerloop_collector.lifecycle.eraser import Claim

_PATIENCE = 60.0  # seconds until an admin is told to ask again
_MOST = 1_000  # ids in one request


class Erasure(Area):
    """Has ids forgotten, and looks at receipts."""

    @operation("erasure.erase", Role.ADMIN)
    def erase(self, project: str, ids: list[str]) -> Answer:
        """Erase ids of a project without their secrets. On return their bytes are in no file of the store."""
        self.core.registry.catalogue.newest(project)
        if not 1 <= len(ids) <= _MOST or not all(ids):
            raise UsageError(f"an erasure takes 1 to {_MOST} ids")
        claims = [self._claim(project, one) for one in ids]
        pending = self.core.eraser.submit(project, claims)
        if not self.core.eraser.working:  # a command on the store itself has no thread for it
            self.core.eraser.work_off()
        try:
            erased = pending.result(_PATIENCE)
        except concurrent.futures.TimeoutError:
            raise StoreError("the erasure has begun and is not finished; ask again for its receipt") from None
        events = sum(verdict.events for verdict in erased.verdicts)
        return {"receipt": erased.receipt, "project": project, "ids": len(ids), "events": events, "destinations": erased.destinations}

    def _claim(self, project: str, user: str) -> Claim:
        installation = self.core.hasher.installation(project, user)
        return Claim(installation, self.core.hasher.mark(installation), None)

    @operation("erasure.receipt", Role.ADMIN)
    def receipt(self, receipt: str) -> Answer:
        """What a receipt stands for."""
        found = self.core.erasures.receipt(receipt)
        if found is None:
            raise UsageError("there is no such receipt")
        return {**found._asdict(), "day": found.day.isoformat()}
