"""Who somebody is: passwords and logins. What they may do then is a matter of abilities and of each use case."""
