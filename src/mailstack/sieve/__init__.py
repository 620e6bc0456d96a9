"""The Sieve language (RFC 5228 and its extensions): text to a script, a script and a message to actions, which are
values. It carries nothing out; services/inbound/filter does.
"""
