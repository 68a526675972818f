"""What is said to people about figures: frozen views that hold what the query package published, and nothing else."""
