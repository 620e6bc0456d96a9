"""Sockets as the servers and clients see them."""
