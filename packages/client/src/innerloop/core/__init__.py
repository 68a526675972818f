"""Everything that runs for a measured command, for attaching, delivering, asking and leaving. It never imports `tools`."""
