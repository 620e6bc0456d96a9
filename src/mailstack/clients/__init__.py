"""The edges where this server is somebody's client."""
