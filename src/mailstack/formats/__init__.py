"""Documents, bytes to values and back: header fields, dates, addresses, MIME, and what IMAP says about them."""
