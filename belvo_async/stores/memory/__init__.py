"""Jobs kept in this process only."""
