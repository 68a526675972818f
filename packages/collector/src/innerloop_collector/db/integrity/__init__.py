"""Whether what the embedded engine wrote is whole, and what is done where it is not."""
