"""Statistics: arrays in, results out. Nothing here reads a file, a clock or a store, and nothing knows a name."""
