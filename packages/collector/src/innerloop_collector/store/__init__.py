"""The store: ClickHouse's engine, what lies in it and how it is written.

May import: `innerloop.plan`, errors, settings. Nothing here knows HTTP, the pipeline or reports.
"""
