"""What `innerloop` starts. Python never caches this file, so it is kept short."""

import sys

sys.path.insert(0, __file__[: -len("/innerloop/start.py")])


def bare(arguments: "list[str]") -> None:
    """Run the command without us: what is left to do where our own files are broken. Does not return."""
    import os  # noqa: PLC0415
    import signal  # noqa: PLC0415

    words = ["make", "impl-" + arguments[1]] if arguments[0] == "wrap" else arguments[1:]
    if words[:1] == ["--name"]:
        words = words[2:]
    if words[:1] == ["--"]:
        words = words[1:]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(words[0], words)


if sys.argv[1:2] in (["run"], ["wrap"]):
    try:
        from innerloop.launcher.main import main
    except BaseException:  # noqa: BLE001 (whatever it is, the command must run)
        bare(sys.argv[1:])
    else:
        main(sys.argv[1:])
else:
    from innerloop.cli.main import main

    main(sys.argv[1:])
