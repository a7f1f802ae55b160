"""A local Belvo."""
