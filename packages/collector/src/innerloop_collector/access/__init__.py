"""Who may do what. May import: the store, settings, configuration, errors."""
