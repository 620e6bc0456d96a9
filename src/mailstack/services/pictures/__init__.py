"""Pictures that mail names and does not hold: had for who reads it, and for whose mail that is not asked each time."""
