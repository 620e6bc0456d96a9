"""Mail on its way out: taken from account holders, signed, queued, routed, attempted, returned."""
