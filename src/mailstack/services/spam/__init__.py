"""Scoring mail as it comes in: what was learned of words and senders, what others say, and learning from people."""
