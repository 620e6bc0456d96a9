"""IMAP4rev1: one file for each command, as in wire/imap/commands."""
