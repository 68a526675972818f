"""The demo: a collector, six developers and real builds on this machine, without an account or a network.

`main` tells the story; `service` runs the collector; `developers` are throw-away people with a HOME each; `builds`
is what they do all day; `terminal` is the terminal that they sit at; `progress` talks to the person watching.
Everything is done with the installed commands `innerloop` and `innerloop-collector`, as a user would do it.
"""
