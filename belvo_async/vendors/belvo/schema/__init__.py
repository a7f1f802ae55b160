"""Belvo's words as types: tasks to fire, calls to make, queries to list, records to read, and the bodies around them.

A catalogue, written from the official OpenAPI document 1.223.0. Records keep the vendor's key names, ignore keys they
do not know and read a missing or null key as None, because fields came and went under one version number. An array
that is always sent defaults to `()`, and is None only where Belvo sent null. Amounts, rates and quantities are exact
Decimals. Instants are aware where Belvo wrote an offset, as it documents; one without offset stays naive, so that a
single odd row does not stop a reading.
"""
