"""What is printed: text out of what operations return. May import: rich. It asks nobody for more."""
