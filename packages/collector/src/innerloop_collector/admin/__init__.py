"""What an operator can ask for: the operations, and the same over HTTP."""
