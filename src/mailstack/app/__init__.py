"""The running program: puts adapters, use cases and servers together, and keeps them running."""
