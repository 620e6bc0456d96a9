"""Engines of mail authentication: pure; DNS answers, keys and the time come in as arguments."""
