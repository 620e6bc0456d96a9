"""SASL, server side, without I/O: mechanisms take what the client sent and say what comes next. RFC 4422."""
