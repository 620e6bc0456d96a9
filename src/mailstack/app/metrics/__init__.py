"""Figures of a running server, for Prometheus and whoever reads what it reads."""
