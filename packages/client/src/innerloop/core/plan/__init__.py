"""The tracking plan: every field that may leave the machine, and why. The law of both ends.

`plan.json` is the one place where a field is written down. From it derive the consent text, the
client's filter, the collector's validation, the store's columns, `innerloop describe` and the
plan's page in the docs.
"""
