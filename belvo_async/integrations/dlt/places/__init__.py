"""Where a mirror may be: a file of DuckDB, or a schema of PostgreSQL."""
