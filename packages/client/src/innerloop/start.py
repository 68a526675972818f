"""What `innerloop` starts. Python never caches this file, so it is kept short."""

import sys

sys.path.insert(0, __file__[: -len("/innerloop/start.py")])
try:
    from innerloop.core.launcher.main import main
except BaseException:  # noqa: BLE001 (whatever it is, the command must run)
    sys.path.insert(0, __file__[: -len("/start.py")])  # the package itself may be what is broken
    from fallback import run_bare  # type: ignore[import-not-found]

    run_bare(sys.argv[1:])
else:
    main(sys.argv[1:])
