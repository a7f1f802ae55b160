"""What extractors find, as rows in Syntage's own shape."""
