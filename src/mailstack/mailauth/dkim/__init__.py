"""DKIM: keys, canonical forms, signatures made and checked. RFC 6376, RFC 8463."""
