"""`mailstack explain`: what a spec's server would make of a mail, and why, stage by stage."""
