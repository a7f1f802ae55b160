"""Carrying a plan out: asks what is left, waits, hands the rows to a sink, and says how it goes."""
