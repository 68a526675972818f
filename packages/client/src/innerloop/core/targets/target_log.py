"""What a run's target log says: every target whose recipe ran, as a tree, with outcome, critical path and lanes.

`SPOOL/targets/ID` is written by the probe while the run lasts and stays when the run was sealed. It is read record by record, and
reading it raises nothing: whatever cannot be read, or had no room, is counted.
"""

import os
from typing import BinaryIO, NamedTuple, Optional

from innerloop.core.shared import files
from innerloop.core.spool.facts import RunFacts
from innerloop.core.targets import lines, outcomes, path, tree
from innerloop.core.targets.tree import Make, Target

LONGEST_RECORD = 64 << 10  # bytes: four times that of any record


class Log(NamedTuple):
    """A run's targets by their start. Times in ns of the monotonic clock, as in the record's `start` line."""

    targets: "tuple[Target, ...]" = ()
    makes: "tuple[Make, ...]" = ()
    damaged: int = 0  # records that could not be read
    cut: int = 0  # recipe lines that the log had no room for
    problem: str = ""  # why there is no log, or none that may be believed
    first_failure: Optional[int] = None  # place in `targets`
    critical: "tuple[int, ...]" = ()  # places in `targets`, by their start
    critical_ns: int = 0  # how long the critical path is
    lanes: int = 0  # how many targets ran side by side, at most
    start_ns: int = 0
    end_ns: int = 0  # the last moment that the log knows


def read(spool: str, run_id: str, exit_status: Optional[int] = None, live_at: Optional[int] = None) -> Log:
    """Read a run's targets. `exit_status` is the run's, None where nobody knows it; `live_at` the present, where it still goes on."""
    try:
        with open(files.open_own(f"{spool}/targets/{run_id}", os.O_RDONLY), "rb") as file:
            return understand(file, exit_status, live_at)
    except (FileNotFoundError, NotADirectoryError):
        return Log(problem="there is no target log")
    except (files.UnusableFile, OSError) as error:
        return Log(problem=str(error))


def understand(file: BinaryIO, exit_status: Optional[int] = None, live_at: Optional[int] = None) -> Log:
    """Understand a log as it is read, record by record; what has no newline for longer than any record comes in pieces."""
    records, damaged, cut = lines.parse(iter(lambda: file.readline(LONGEST_RECORD), b""))
    if not records:
        return Log(damaged=damaged, cut=cut)
    built = outcomes.judge(tree.build(records), exit_status, live_at is not None)
    last = max([live_at or 0, *(line.start if line.end is None else line.end for line in records)])
    ends = path.close(built.targets, last)
    lanes, owns = path.lanes(built, ends), path.own_times(built, ends)
    length, critical = path.Paths(built, ends, owns).whole()
    on_path = set(critical)
    found = [one._replace(critical=place in on_path, own_ns=owns[place], lane=lanes.get(place)) for place, one in enumerate(built.targets)]
    first = outcomes.first_failure(found)
    width = max(lanes.values(), default=-1) + 1
    return Log(tuple(found), tuple(built.makes), damaged, cut, "", first, tuple(critical), length, width, records[0].start, last)


def with_status(facts: RunFacts, log: Log) -> RunFacts:
    """A run whose exit status nobody could read gets the one that its targets tell: make ends with 2 where one failed.

    Where none did, but one never ended, make may have been killed as well: they tell nothing.
    """
    if facts.end is None or facts.end[0] is not None or log.problem:
        return facts
    if log.first_failure is None and any(one.outcome == tree.UNKNOWN for one in log.targets):
        return facts
    stopped = [one.status for one in log.targets if one.outcome == tree.STOPPED and one.status is not None]
    status = 2 if log.first_failure is not None else stopped[0] if stopped else 0
    return facts._replace(end=(128 - status if status > 128 else status, *facts.end[1:]), inferred=True)
