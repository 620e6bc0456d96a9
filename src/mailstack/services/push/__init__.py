"""Changes told to push services, for programs that cannot keep a connection open. RFC 8620 §7.2."""
