"""The founding systems: metrics that a project kept before innerloop, whose consent file, events and words live on.

A project file chooses one by name (`[seed] system`) and decides nothing of what stands here. A cloned repository is
untrusted: were the path, the variable or the words its own, it could use a yes that was given to somebody else. A system
is added by a change of this file, which its users review with the rest of the client.
"""

import hashlib
from typing import NamedTuple


class FoundingSystem(NamedTuple):
    """One founding system, as its own script was."""

    name: str
    config: str  # where its script keeps the answer, relative to HOME
    test_variable: str  # set in its own tests
    endpoint: str  # where its script sends to
    key_hash: str  # SHA-256 of the write key that it sends with, in hex
    fields: "tuple[str, ...]"  # what a yes in its script's file, which has no digests, agreed to send
    events: "dict[str, str]"  # plan event -> what it is called on the wire
    wording: "dict[str, str]"  # printed as it is

    def sends_to(self, endpoint: str, write_key: str) -> bool:
        """Tell whether this is the destination of the system's own script: only there does a yes given to that script count."""
        return endpoint == self.endpoint and hashlib.sha256(write_key.encode()).hexdigest() == self.key_hash

    def wrote(self, document: object) -> bool:
        """Tell whether a JSON document holds the keys of the system's consent file and no others."""
        return isinstance(document, dict) and bool(document) and set(document) <= {"anonymous_user_id", "consent"}


# Open edX's devstack, scripts/send_metrics.py of github.com/openedx/devstack.
DEVSTACK = FoundingSystem(
    name="devstack",
    config=".config/devstack/metrics.json",
    test_variable="DEVSTACK_METRICS_TESTING",
    endpoint="https://api.segment.io",
    key_hash="afe97cb816e0adc2a52d238aeb192616216fdbc7e3191fe82785cf32454121b6",
    fields=(
        "userId", "messageId", "timestamp", "command", "command_type", "duration_ms", "exit_status", "start_time",
        "git_commit_time", "git_checked_out_master", "is_test", "choice", "previous_consent",
    ),
    events=dict.fromkeys(("run", "opt_in", "opt_out"), "devstack.command.run"),
    wording={
        "opt_in_command": "make metrics-opt-in",
        "opt_out_command": "make metrics-opt-out",
        "invitation": (
            "Would you like to assist devstack development by sending pseudonymous usage metrics? "
            "Run `make metrics-opt-in` to learn more!"
        ),
        "question": (
            "\n\nAllow devstack to report anonymized usage metrics?\n\n"
            "They tell which devstack commands are slow or fail, so that devstack can be improved.\n"
            "Records carry a random id: pseudonymous, not anonymous. A no changes nothing, and stays on this machine."
        ),
        "answer_line": (
            "\nType 'yes' or 'y' to opt in to reporting this information, 'no' or 'n' not to be asked again, anything else to cancel.\n"
            "You may withdraw at any time by running `make metrics-opt-out`; leaving sends one last message."
        ),
        "thanks": (
            "Thank you for contributing to devstack development! "
            "You can opt out again at any time with `make metrics-opt-out`."
        ),
        "stopped": (
            "You have been opted out of reporting devstack command metrics. "
            "You can opt back in by running `make metrics-opt-in` at any time."
        ),
    },
)  # fmt: skip

SYSTEMS = {system.name: system for system in (DEVSTACK,)}
