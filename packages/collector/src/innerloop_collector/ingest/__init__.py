"""Segment's HTTP API: authentication, decoding, limits and answers. Nothing here sees or keeps an address."""
