"""JMAP over HTTP: one file a method, and what they all stand on. RFC 8620, RFC 8621."""
