"""The commands that carry plans out: estimate, extract, sync, coverage, verify."""
