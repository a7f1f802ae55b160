"""Insights: what Syntage computes of an entity from the invoices it holds."""
