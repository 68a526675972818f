"""Segment's HTTP API: authentication, decoding, limits and answers.

May import: pipeline, the store's registry, hashes, writer and eraser, settings, errors. Nothing here sees or keeps an address.
"""
