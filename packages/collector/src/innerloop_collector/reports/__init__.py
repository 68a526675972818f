"""The query layer: the only door to figures. It returns frozen view models and cannot return an id.

May import: the store's engine and registry, errors.
"""
