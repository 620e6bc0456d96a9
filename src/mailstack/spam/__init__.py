"""Telling spam from ham: what is looked at in a message, and a model that learns from what people say of theirs."""
