"""Verdicts: what a registered change did, published once per registered look. Rows go in, rounded results come out; in between stand sums of people who are numbers."""
