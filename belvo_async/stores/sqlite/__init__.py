"""Jobs kept in an SQLite file."""
