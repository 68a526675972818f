"""How targets are seen: files for make, the shim that stands in for a recipe line's shell, and where both are kept."""
