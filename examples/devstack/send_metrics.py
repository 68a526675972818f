#!/usr/bin/env python3
"""
Measure devstack's make targets with innerloop, for those who agreed to it.

Replaces the body of devstack's scripts/send_metrics.py: the Makefile calls it as before, with
`wrap TARGET`, `opt-in` or `opt-out`. For somebody who has not installed innerloop, `wrap` just runs
`make impl-TARGET`, and the other two say how to install it.
"""

import os
import sys

USAGE = """Usage:
  send_metrics.py wrap <make-target>
  send_metrics.py opt-in
  send_metrics.py opt-out"""
EXPECTED = {"wrap": 2, "opt-in": 1, "opt-out": 1}


def main(args: list) -> None:
    """Become `innerloop`, or `make` where there is no innerloop."""
    if not args or len(args) != EXPECTED.get(args[0]):
        sys.exit(USAGE)
    try:
        os.execvp("innerloop", ["innerloop", *args])
    except OSError:  # not installed here
        pass
    if args[0] == "wrap":
        os.execvp("make", ["make", "impl-" + args[1]])
    sys.exit(
        "Measuring devstack needs innerloop on your PATH; install the file that your team gives you: uv tool install innerloop-VERSION-py3-none-any.whl"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
