"""What `innerloop` starts. Never cached by Python, so it is kept to a few lines."""

import sys

sys.path.insert(0, __file__[: -len("/innerloop/start.py")])

if sys.argv[1:2] in (["run"], ["wrap"]):
    from innerloop.launcher.main import main
else:
    from innerloop.cli.main import main

main(sys.argv[1:])
