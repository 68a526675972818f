"""The composition root: the one place that builds the parts of a collector and passes them to whoever needs them."""
