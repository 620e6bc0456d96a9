"""From the spec to a server that is like it: desired and live state, their difference as a plan, and its execution."""
