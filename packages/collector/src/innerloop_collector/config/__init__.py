"""What an operator sets, and where the collector keeps things."""
