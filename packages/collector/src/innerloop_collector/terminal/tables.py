"""The plain tables. May import: terminal's canvas."""

from typing import Any

from innerloop_collector.terminal.canvas import table


def projects(answer: dict[str, Any]) -> str:
    """Projects, newest version of each."""
    rows = [
        (
            one["project"],
            str(one["version"]),
            one["digest"][:12],
            one["applied"],
            str(one["min_active_weeks"]),
            f"{one['retention_days']} d",
        )
        for one in answer["projects"]
    ]
    return table(
        ("project", "version", "digest", "applied", "min weeks", "retention"),
        rows,
        "no projects; apply one: innerloop-collector projects apply FILE",
    )


def keys(answer: dict[str, Any]) -> str:
    """Write keys."""
    rows = [(key["id"], key["project"], key["created"], key["last_used"] or "never", _state(key, key["ends"])) for key in answer["keys"]]
    return table(
        ("key", "project", "created", "last used", "state"), rows, "no write keys; make one: innerloop-collector keys create PROJECT"
    )


def tokens(answer: dict[str, Any]) -> str:
    """Tokens."""
    rows = [
        (
            one["id"],
            one["role"],
            ", ".join(one["projects"]) or "all",
            one["label"],
            one["last_used"] or "never",
            _state(one, one["expires"]),
        )
        for one in answer["tokens"]
    ]
    return table(
        ("token", "role", "projects", "label", "last used", "state"), rows, "no tokens; make one: innerloop-collector tokens create"
    )


def _state(one: dict[str, Any], last: str | None) -> str:
    """Whether a key or token opens anything, and for how long."""
    if one["revoked"]:
        return "revoked"
    if not one["accepted"]:
        return f"ended {last}"
    return f"until {last}" if last else "accepted"


def oauth_keys(answer: dict[str, Any]) -> str:
    """Public keys of programs that fetch tokens."""
    rows = [(key["id"], key["project"], key["created"], "revoked" if key["revoked"] else "accepted") for key in answer["keys"]]
    return table(("key id", "client id", "created", "state"), rows, "no public keys; add one: innerloop-collector keys oauth add PROJECT")


def quarantine(answer: dict[str, Any]) -> str:
    """What waits."""
    rows = [
        (
            one["project"],
            one["reason"],
            ", ".join(one["fields"]),
            str(one["events"]),
            f"{one['first_day']} to {one['last_day']}",
            one["removed_on"],
        )
        for one in answer["quarantine"]
    ]
    return table(("project", "reason", "what", "events", "days", "removed from"), rows, "quarantine is empty")


def check(answer: dict[str, Any]) -> str:
    """The collector's health."""
    rows = [
        ("state", "well" if answer["ok"] else "NOT WELL"),
        ("data", answer["data"]),
        ("engine", f"ClickHouse {answer['engine']}, {answer['store']}, schema {answer['schema']}"),
        ("events", f"{answer['events']:,}"),
        ("quarantined", f"{answer['quarantined']:,}"),
        ("erased ids", f"{answer['tombstones']:,}"),
        ("erasures not finished", f"{answer['unfinished_erasures']:,}"),
        ("erasure receipts", f"{answer['receipts']:,}"),
        ("size", f"{answer['store_bytes'] / 1e6:,.1f} MB"),
        ("disk free", f"{answer['disk_free_bytes'] / 1e9:.1f} GB"),
        *(("note", one["text"]) for one in answer["findings"] if one["note"]),
    ]
    return table(("", ""), rows, "")
