"""Admin: pages for who looks after the server, written by the server."""
