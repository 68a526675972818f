"""The tables of destinations. May import: terminal's canvas."""

from typing import Any

from innerloop_collector.terminal.canvas import table


def status(answer: dict[str, Any]) -> str:
    """How each destination is doing, in 80 columns; what was wrong last is a sentence and has a line of its own below."""
    rows = [
        (
            one["destination"],
            ", ".join(one["projects"]) or "none names it",
            one["state"],
            f"{one['behind_events']:,}",
            f"{one['sent']:,}",
            f"{one['set_aside']:,}",
        )
        for one in answer["destinations"]
    ]
    head = ("destination", "projects", "state", "behind", "sent", "set aside")
    shown = table(head, rows, "no destinations; docs/guides say how to add one to the configuration")
    return "\n".join([shown, *(f"{one['destination']}: {trouble}" for one in answer["destinations"] if (trouble := _trouble(one)))])


def _trouble(one: dict[str, Any]) -> str:
    if not one["last_error"]:
        return ""
    wait = f", next try in {one['next_try_seconds']:.0f} s" if one["next_try_seconds"] else ""
    return f"{one['last_error']}{wait}"


def set_aside(answer: dict[str, Any]) -> str:
    """What a destination does not take."""
    rows = [(str(one["position"]), one["project"], one["kind"], one["day"], one["reason"], one["state"]) for one in answer["set_aside"]]
    return table(("position", "project", "event", "set aside on", "reason", "state"), rows, "nothing is set aside")
