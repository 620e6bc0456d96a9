"""Certificates from an authority that speaks ACME (RFC 8555), through the acme library."""
