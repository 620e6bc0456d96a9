"""DKIM: keys, canonical forms, signatures. RFC 6376, RFC 8463. Checking of received signatures is a later room."""
