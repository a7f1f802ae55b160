"""How what is asked and sent is written: names, kinds, ids, filters, requests."""
