"""The hot path: what runs between a developer's Enter and their command, and after it.

Budget: start-up of a bare interpreter and little more. Before the command is spawned these modules import
`sys posix time _signal`, `innerloop.environment`, `innerloop.places` and each other; after it `innerloop.names`
too. Whatever needs more (`json`, the project file's reader) runs while the command runs, and
only when the hot file cannot answer.
"""
