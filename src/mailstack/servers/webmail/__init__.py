"""Webmail: a page that is a client of JMAP, and mail as documents for its frames."""
