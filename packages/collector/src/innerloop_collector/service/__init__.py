"""A running service and those who operate it: the guard of its sockets, sign-in, their calls; health, metrics, its own description, logs, systemd.

May import: operations, access, ingest's bodies and answers, the store's keyed hashes, vitals, metrics, configuration.
"""
