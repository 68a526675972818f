"""Figures: rows become contributions, contributions pass the rules, and only what passed is published."""
