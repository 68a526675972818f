"""From the spool to the collector, by HTTP: detached from every command, resumable, at least once.

`sender` decides what leaves and when; `http_client` makes one request; `backoff` remembers failures on disk.
"""
