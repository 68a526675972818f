"""Did a dated change alter what developers wait for, and how surely is that known? docs/statistics.md has the formulas."""
