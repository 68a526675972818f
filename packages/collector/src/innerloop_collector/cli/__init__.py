"""The command line: `innerloop-collector`."""

from innerloop_collector.cli.main import main

__all__ = ["main"]
