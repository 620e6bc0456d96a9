"""SMTP as bytes, client side: replies, capabilities, paths, content on the wire. Sans-IO. RFC 5321."""
