"""The plain tables."""

from typing import Any

from innerloop_collector.terminal.drawing import table


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


def links(answer: dict[str, Any]) -> str:
    """Read-only links."""
    rows = [(one["id"], one["page"], one["label"], one["last_used"] or "never", _state(one, one["expires"])) for one in answer["links"]]
    return table(("link", "page", "label", "last used", "state"), rows, "no links; make one: innerloop-collector links create PAGE")


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


def made(answer: dict[str, Any]) -> str:
    """A backup that was made."""
    secret = "with the secret: keep it as safe as the store" if answer["secret"] else "without the secret: keep DIR/secret elsewhere"
    size = f"{answer['rows']:,} rows, {answer['bytes'] / 1e6:.1f} MB in {answer['files']} files"
    return f"{answer['directory']}: {size}, up to position {answer['position']}, {secret}"


def known(answer: dict[str, Any]) -> str:
    """The backups that are known."""
    rows = [(one["directory"], one["made"], "within reach" if one["within_reach"] else "not there") for one in answer["backups"]]
    return table(("directory", "made", ""), rows, "no backups; make one: innerloop-collector backup DIR")


def restored(answer: dict[str, Any]) -> str:
    """A backup that was put back."""
    keys = ", ".join(f"{one['id']} ({one['project']}, {one['kind']})" for one in answer["keys_accepted"]) or "none"
    unsure = "" if answer["secret_checked"] else _UNSURE
    return (
        f"{answer['directory']}, made {answer['made']}: {answer['events']:,} events are back, up to position {answer['position']}\n"
        f"erased again, as the journals say: {answer['erased_again']} ids\n"
        f"revoked: all tokens, {answer['tokens_revoked']} of them good until now, and all read-only links, as some may have been revoked since the backup; make new ones\n"
        f"accepted again: keys {keys}; revoke again what was revoked since the backup{unsure}"
    )


_UNSURE = (
    "\nnot checked: whether the secret is that of this backup, which was made by a version that did not write it down;"
    " if clients that send with an accepted key are told 401, it is another: restore again with the right one"
)


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
    shown = table(head, rows, "no destinations; docs/guides/destinations.md says how to add one")
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


def receipt(answer: dict[str, Any]) -> str:
    """What was erased, and what became of it elsewhere."""
    rows = [("receipt", answer["receipt"]), ("project", answer["project"])]
    if "day" in answer:
        rows.append(("day", answer["day"]))
    rows += [("ids", str(answer["ids"])), ("events", f"{answer['events']:,}")]
    rows += [(name, state) for name, state in sorted(answer["destinations"].items())]
    return table(("", ""), rows, "")


def swept(answer: dict[str, Any]) -> str:
    """What a sweep took away."""
    rows = [(one["project"], one["what"], one["day"], one["kept_until"], f"{one['rows']:,}") for one in answer["gone"]]
    head = ("project", "what", "day", "kept until", "rows that would go" if answer["dry_run"] else "rows gone")
    text = table(head, rows, f"nothing is past its time on {answer['today']}")
    if answer.get("doubt") and answer["dry_run"]:
        text += f"\nlook twice: {answer['doubt']}; `retain` would take all of this away for good"
    units = [f"{one['project']} {one['unit']}" for one in answer["published"]]
    return text + (f"\npublished: {', '.join(units)}" if units and not answer["dry_run"] else "")


def violations(answer: dict[str, Any]) -> str:
    """What ever came into quarantine."""
    rows = [(one["project"], one["reason"], one["field"] or "(all)", one["day"], str(one["events"])) for one in answer["violations"]]
    return table(("project", "reason", "field", "day", "events"), rows, "nothing ever came into quarantine")
