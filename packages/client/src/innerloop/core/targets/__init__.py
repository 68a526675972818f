"""What a run's target log says."""
