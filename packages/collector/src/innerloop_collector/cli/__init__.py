"""The command line: `innerloop-collector`. May import: everything; what is heavy only inside the command that needs it."""

from innerloop_collector.cli.main import main

__all__ = ["main"]
