"""The life of what is kept: retention, erasure, purge, backup and restore."""
