"""How each target ended: done, failed, ignored, stopped, unknown or still running; and whose failure was the cause.

make's reaction is not in the log, so it is read off what came after a line that failed. Ignored is an error

- of a line that was not its target's last one: make went on,
- of a make that runs with -i, that ended with 0, or whose own error was ignored in the make above it,
- after which the same make started another target; with -k: one that needs the target that failed.

What this cannot tell: with -k, an ignored error of a target that nothing needs, in a make that failed for another reason;
without it, one of the very last target before a missing rule. Both count as failures.
"""

from typing import Optional

from innerloop.core.targets.tree import DONE, FAILED, IGNORED, RUNNING, STOPPED, UNKNOWN, Make, Target, Tree

INTERRUPTS = (-2, 130)  # SIGINT
STOPS = (*INTERRUPTS, -15, 143, -1, 129)  # SIGTERM, SIGHUP
RACE = 50_000_000  # ns: with -j, make may start one more target before it notices a failure


def judge(tree: Tree, exit_status: Optional[int], live: bool = False) -> Tree:
    """Give every target its outcome and cause. `exit_status` is the run's, None where nobody knows it; a `live` run goes on."""
    judged = list(tree.targets)
    for place, one in enumerate(judged):
        judged[place] = one._replace(outcome=_alone(one, exit_status, live))
    for number in sorted(range(len(tree.makes)), key=lambda number: tree.makes[number].targets[0]):  # parents first
        make = tree.makes[number]
        suspects = [place for place in make.targets if judged[place].outcome == FAILED]
        guilty = [] if not suspects or _tolerated(make, judged, exit_status) else _not_ignored(make, suspects, judged)
        for place in set(suspects).difference(guilty):
            judged[place] = judged[place]._replace(outcome=IGNORED)
    return Tree(_with_causes(judged, tree), tree.makes)


def first_failure(targets: "list[Target]") -> Optional[int]:
    """The target that failed first, of those that did not fail because of one below them."""
    causes = [place for place, one in enumerate(targets) if one.failed and one.cause is None]
    return min(causes, key=lambda place: targets[place].end_ns or 0, default=None)


def _alone(one: Target, exit_status: Optional[int], live: bool) -> str:
    """A target's outcome by its own lines; FAILED may still turn out to be ignored."""
    if one.status is None:
        return RUNNING if live else UNKNOWN
    if one.status == 0:
        return DONE
    stopped = one.status in (INTERRUPTS if exit_status is None else STOPS) and (exit_status is None or exit_status in STOPS)
    return STOPPED if stopped else FAILED


def _tolerated(make: Make, judged: "list[Target]", exit_status: Optional[int]) -> bool:
    """Whether a make's failure changed nothing for whoever started it."""
    if exit_status == 0:
        return True
    if make.line is None or make.parent is None:
        return False
    above = judged[make.parent]
    return make.line is not above.lines[-1] or above.outcome in (IGNORED, DONE)


def _not_ignored(make: Make, suspects: "list[int]", judged: "list[Target]") -> "list[int]":
    """Which of the targets with an error made their make fail."""
    if "i" in make.flags:
        return []
    if "k" in make.flags:
        needed = _last_needed(make, judged)
        return [place for place in suspects if needed.get(judged[place].name, 0) < _end(judged[place])]
    starts = [judged[place].start_ns for place in make.targets]
    guilty = [place for place in suspects if starts[-1] <= _end(judged[place])]
    if guilty or "j" not in make.flags:
        return guilty
    return [place for place in suspects if starts[-2] <= _end(judged[place]) and starts[-1] <= _end(judged[place]) + RACE][-1:]


def _last_needed(make: Make, judged: "list[Target]") -> "dict[str, int]":
    """When the last target started that needs each name (ns)."""
    found: "dict[str, int]" = {}
    for place in make.targets:  # by their start
        one = judged[place]
        found.update(dict.fromkeys((*one.prerequisites, *one.order_only), one.start_ns))
    return found


def _end(one: Target) -> int:
    return one.start_ns if one.end_ns is None else one.end_ns


def _with_causes(judged: "list[Target]", tree: Tree) -> "list[Target]":
    """Find the innermost failure below each failed target: those below start later than those above."""
    within = tree.within()
    for place in range(len(judged) - 1, -1, -1):
        one = judged[place]
        if one.failed:
            makes = [tree.makes[number] for number in within.get(place, ()) if tree.makes[number].line is one.lines[-1]]
            below = [inner for make in makes for inner in make.targets if judged[inner].failed]
            if below:
                first = min(below, key=lambda inner: _end(judged[inner]))
                judged[place] = one._replace(cause=first if judged[first].cause is None else judged[first].cause)
    return judged
