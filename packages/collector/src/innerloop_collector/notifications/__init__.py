"""Notifications: what people are told by themselves (confirmed alerts, a weekly digest), by the channels that are configured. Every number in it was published."""
