"""`python -m innerloop`: the same as the command `innerloop`."""

import sys

from innerloop.core.launcher.main import main

main(sys.argv[1:])
