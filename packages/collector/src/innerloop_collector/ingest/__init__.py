"""Segment's HTTP API: authentication, decoding, limits and answers.

May import: pipeline, the store's registry, hashes, writer and eraser, configuration, errors. Nothing here sees or keeps an address.
"""
