"""Alerts: what became slower or fails more, looked at once for each closed day, published once. Rows go in, rounded results come out."""
