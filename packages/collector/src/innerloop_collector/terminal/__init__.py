"""What is printed: text out of what operations return. It asks nobody for more."""
