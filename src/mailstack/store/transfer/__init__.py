"""Moves a whole store from one engine to another, row by row, and compares what has arrived with what was there."""
