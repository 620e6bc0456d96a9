"""WebSockets, the server's half, without I/O. RFC 6455, RFC 7692."""
