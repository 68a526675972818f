"""Backups: what was made, what is known, what was put back. May import: terminal's canvas."""

from typing import Any

from innerloop_collector.terminal.canvas import table


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
        f"revoked: all tokens, {answer['tokens_revoked']} of them good until now, as some may have been revoked since the backup; make new ones\n"
        f"accepted again: keys {keys}; revoke again what was revoked since the backup{unsure}"
    )


_UNSURE = (
    "\nnot checked: whether the secret is that of this backup, which was made by a version that did not write it down;"
    " if clients that send with an accepted key are told 401, it is another: restore again with the right one"
)
