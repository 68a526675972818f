"""What became of the runs of a batch that was taken: stored, held back by the collector, or lost there."""

from collections import Counter
from typing import NamedTuple

from innerloop.core.outbound import answers
from innerloop.core.spool import held, store

# Why our collector drops what it took -> the ledger's word for it.
LOST = {"past retention": "past-retention", "id was erased": "erased-there", "quarantine is full": "no-room-there"}
NOT_KEPT = "not-kept-there"


class Reconciled(NamedTuple):
    """What a batch changed, in runs."""

    runs: int  # that are no longer in the queue
    held: "Counter[str]"  # of them, those that the collector holds back: reason -> runs
    lost: "Counter[str]"  # of them, those that it took and did not keep: reason -> runs


def reconcile(spool: str, batch: "list[store.Sealed]", plan: str, said: "list[answers.Verdict]") -> Reconciled:
    """Note what became of a batch's runs. Of a run's events the one that fared worst counts, and waiting is worse than being gone."""
    owners = [one.id for one in batch for _ in one.events]
    dropped = {owners[verdict.event]: verdict for verdict in said if verdict.state == answers.DROPPED}
    waiting = {owners[verdict.event]: verdict for verdict in said if verdict.state == answers.QUARANTINED}
    groups: "dict[tuple[str, str], list[str]]" = {}
    for run_id, verdict in waiting.items():
        groups.setdefault((verdict.reason, verdict.removed_on), []).append(run_id)
    back = [held.Group(reason, day, plan, tuple(run.replace("-", "") for run in runs)) for (reason, day), runs in groups.items()]
    held.add(spool, back)
    store.keep_copies(spool, list(waiting))
    result = Reconciled(0, Counter(), Counter())
    for group in back:
        result.held[group.words] += len(group.runs)
    for run_id, verdict in dropped.items():
        if run_id not in waiting:
            store.acknowledge(spool, [run_id], store.DROPPED + LOST.get(verdict.reason, NOT_KEPT))
            result.lost[verdict.reason] += 1
    stored = [one.id for one in batch if one.id not in waiting and one.id not in dropped]
    done = store.acknowledge(spool, stored) + len({*waiting, *dropped})
    if stored and not any(verdict.reason == held.UNKNOWN_PLAN for verdict in said):
        held.release(spool, plan)
    return result._replace(runs=done)
