"""Where the probe is kept, ready for make. May import: the standard library."""


def prepare(_state: str) -> "tuple[str, str]":
    """The probe's directory, or "" and why there is none."""
    return "", "this version has no probe yet"
