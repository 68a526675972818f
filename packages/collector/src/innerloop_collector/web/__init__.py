"""A running service: its application, the guard of its connections, health, metrics, its description, logs and sign-in."""
