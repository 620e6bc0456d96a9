"""ManageSieve's bytes: commands in, responses out. RFC 5804."""
