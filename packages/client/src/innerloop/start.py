"""What `innerloop` starts, and the only dispatcher. Python never caches this file, so it is kept short."""

import sys

sys.path.insert(0, __file__[: -len("/innerloop/start.py")])
try:
    if sys.argv[1:2] in (["run"], ["wrap"], ["attach"]):
        from innerloop.core.launcher.main import main
    elif sys.argv[1:2] in (["deliver"], ["opt-in"], ["opt-out"]):
        from innerloop.core.main import main
    else:
        from innerloop.tools.main import main
except BaseException:  # noqa: BLE001 (whatever it is, the command must run)
    sys.path.insert(0, __file__[: -len("/start.py")])  # the package itself may be what is broken
    from fallback import run_bare  # type: ignore[import-not-found]

    run_bare(sys.argv[1:])
else:
    main(sys.argv[1:])  # it returns only where it does not know what was typed
    from innerloop.tools.main import main as explain

    explain(sys.argv[1:])
