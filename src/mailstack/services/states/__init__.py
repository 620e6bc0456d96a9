"""What states the data of accounts are in, and who is told when they change. RFC 8620 §7."""
