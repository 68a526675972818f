"""Show a run's targets to the developer whose run it was: runs that have any, rows, bars, the drawing, trace files."""
