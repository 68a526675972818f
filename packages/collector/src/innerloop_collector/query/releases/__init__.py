"""Releases: figures are published, not queried. A closed week or block is published once, and reports are sums of what was published."""
