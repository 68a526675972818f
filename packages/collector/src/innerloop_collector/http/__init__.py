"""What all routes share: reading a request's body, and the shape of answers."""
