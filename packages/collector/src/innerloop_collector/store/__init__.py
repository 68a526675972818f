"""The store: ClickHouse's engine, what lies in it and how it is written. Nothing here knows HTTP, the pipeline or reports."""
