"""Tax returns, typed to the last field."""
