"""The comparators that are always there, and may be required all the same. RFC 5228 §2.7.3."""

from mailstack.sieve.language import Extension

OCTET = Extension(name="comparator-i;octet")
ASCII_CASEMAP = Extension(name="comparator-i;ascii-casemap")
