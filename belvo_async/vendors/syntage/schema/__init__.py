"""Syntage's catalogue: the tasks, their options, the queries, calls and files, the records.

Field names are the vendor's keys in snake_case; `@id` is `iri` and `@type` is `ld_type`. The vendor marks almost
nothing as required, so every record field may be None. Codes stay `str`: the prose already knows more words than the
OpenAPI enums.
"""
