"""Jobs kept in PostgreSQL."""
