"""Handing mail to other servers: the connection, its protection, one transaction."""
