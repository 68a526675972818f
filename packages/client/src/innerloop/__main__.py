"""`python -m innerloop`: the same as the command `innerloop`."""

import sys

if sys.argv[1:2] in (["run"], ["wrap"]):
    from innerloop.launcher.main import main
else:
    from innerloop.cli.main import main

main(sys.argv[1:])
