"""IMAP4rev1, server side, without I/O: framing, grammar, commands, responses. RFC 3501, read with RFC 9051 at hand."""
