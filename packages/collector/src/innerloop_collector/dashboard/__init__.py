"""Pages that show what reports say: rendered here, readable without JavaScript, and with no request to anywhere else."""
