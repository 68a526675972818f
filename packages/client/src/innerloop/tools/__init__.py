"""The commands that a developer types, apart from `run` and `wrap`.

One module a group of commands; `main` reads the arguments and turns every expected failure into one line.
"""
