"""The morning page: its facts, its text, and what a browser makes of it."""
