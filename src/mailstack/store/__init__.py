"""Adapters of the ports in mailstack.ports that keep something: databases, blobs, wake-ups between processes."""
