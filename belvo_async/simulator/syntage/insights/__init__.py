"""Insights, computed from the invoices that are held. The document gives the fields; where it has no rule, ours stands."""
