"""The HTTP floor: connections, limits and refusals that every web service stands on, and the few pages of its own."""
