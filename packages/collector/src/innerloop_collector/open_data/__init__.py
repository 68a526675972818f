"""Published figures as files for everybody: CSV and Parquet tables, with a dictionary of their columns."""
