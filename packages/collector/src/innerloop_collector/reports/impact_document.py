"""What is known of a change, as a document: what `impact --json` prints."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from innerloop_collector.analysis.impact.estimates import Estimate, Reason, Refusal
from innerloop_collector.analysis.impact.question import Question
from innerloop_collector.analysis.impact.verdict import judge
from innerloop_collector.analysis.impact.whole import Impact
from innerloop_collector.reports.verdicts import sentence


def verdict_of(subject: str, found: Impact, question: Question) -> str:
    """The verdict as a sentence."""
    failures = judge(found.failures, question.limits)
    if found.failed_checks is not None and failures.reason is Reason.ONLY_CHECKS:
        failures = judge(found.failed_checks, question.limits)
    return sentence(
        subject,
        judge(found.headline, question.limits),
        minutes=found.saved.minutes if found.saved else None,
        failures=failures,
        same_work=question.same_work,
    )


def document(found: Any) -> Any:
    """Values, tables and lists of them: each answer says whether it is an estimate or a refusal, and an estimate what it is in percent or points."""
    if isinstance(found, Enum):
        return found.value
    if isinstance(found, Estimate | Refusal):
        kind = "estimate" if isinstance(found, Estimate) else "refusal"
        return {"kind": kind} | _fields(found) | (_percent(found) if isinstance(found, Estimate) else {})
    if is_dataclass(found):
        return _fields(found)
    if isinstance(found, tuple | list):
        return [document(one) for one in found]
    if isinstance(found, frozenset):
        return sorted(document(one) for one in found)
    return found


def _fields(found: Any) -> dict[str, Any]:
    return {one.name: document(getattr(found, one.name)) for one in fields(found)}


def _percent(found: Estimate) -> dict[str, float]:
    return {f"{name}_percent": found.percent(value) for name, value in (("value", found.value), ("low", found.low), ("high", found.high))}
