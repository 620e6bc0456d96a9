"""DNS: which records the spec asks for, which of the zone's records are ours, and octoDNS to write the difference."""
