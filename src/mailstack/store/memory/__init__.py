"""A store in memory, empty at its beginning and gone with the process: what the tests of a spec deliver into.

It has what delivery and plans ask of a store, and passes their contracts; reading mail by IMAP takes store.sqlite.
"""
