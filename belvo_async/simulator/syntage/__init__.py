"""A local Syntage."""
