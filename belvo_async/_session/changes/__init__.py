"""Telling changes: what is read, what was known of it, and the cursor that moves when it is acknowledged."""
