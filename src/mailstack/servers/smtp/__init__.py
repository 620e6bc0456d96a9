"""Receiving over SMTP: the MX, and submission.

Of aiosmtpd, the life of the protocol is left: docs/decisions/0007-our-own-smtp-command-loop.md.
"""
