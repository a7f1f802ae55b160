"""The vendors' dialects, one folder each; none knows another."""
