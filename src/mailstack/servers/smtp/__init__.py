"""Receiving over SMTP: the MX, and submission. The command loop is aiosmtpd's; what commands do is here."""
