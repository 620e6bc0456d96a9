"""The embedded store: one SQLite file for the server, one for each account, driven through apsw.

Nothing is opened at import: every worker opens its own store after the fork.
"""
