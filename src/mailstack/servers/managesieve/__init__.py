"""The ManageSieve server. RFC 5804."""
