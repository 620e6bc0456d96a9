"""The vocabulary that every layer shares: values without I/O, clock or protocol."""
