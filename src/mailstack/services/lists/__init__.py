"""Mailing lists: who may post, what members get, how they leave."""
