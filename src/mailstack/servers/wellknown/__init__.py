"""Pages by which programs find their settings, and people whom to write to."""
