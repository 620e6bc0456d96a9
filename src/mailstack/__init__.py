"""mailstack: a whole mail server from one YAML file."""

__version__ = "0.1.0"
