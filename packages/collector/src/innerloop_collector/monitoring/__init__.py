"""What the service counts, and how store, disk and clocks are."""
