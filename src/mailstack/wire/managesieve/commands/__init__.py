"""One file for each command: what it asks for as a dataclass, and `parse`, which takes all that follows its name."""
