"""`python -m innerloop_collector.cli`."""

from innerloop_collector.cli.main import main

main()
