"""Exporters: what passes events on to the destinations that are configured, and to nobody else.

Each destination has a thread, a cursor over the store and a private key of its own, so that none waits for another and nobody can
join what two of them got. What an event's developer agreed to decides: see `release`. Nothing here knows HTTP's server side, the pipeline or reports.
"""
