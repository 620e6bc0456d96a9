"""The store's logic in SQL: what is done inside transactions, the same on every engine.

Written against database.py; an engine is a package beside this one (sqlite, postgres), which this one never imports.
"""
