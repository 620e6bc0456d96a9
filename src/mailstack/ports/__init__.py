"""What the use cases need from the outside, as Protocols; adapters live in store, net and clients."""
