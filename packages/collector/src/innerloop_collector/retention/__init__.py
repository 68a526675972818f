"""A year, then gone: weekly totals are made, then rows go, with their bytes. May import: core, reports, the store, configuration, errors."""
