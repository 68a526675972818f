"""The hot path: what runs between a developer's Enter and their command, and after it. It is the start of a bare interpreter and little more."""
