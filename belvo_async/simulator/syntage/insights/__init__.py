"""Insights, computed from the invoices held. The document gives the fields; where it has no rule, ours stands."""
