"""What a running service tells those who operate it: health, metrics, its own description, logs, and systemd.

May import: operations, ingest's answers, vitals, metrics, configuration.
"""
