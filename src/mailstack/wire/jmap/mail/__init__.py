"""Mailboxes, threads and emails as JSON. RFC 8621."""
