"""Which targets became slower or fail more, since about when, at a stated number of false alarms a month. docs/statistics.md has the formulas."""
