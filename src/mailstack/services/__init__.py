"""Use cases: async functions and small objects that speak to ports, never to sockets, files or wire forms."""
