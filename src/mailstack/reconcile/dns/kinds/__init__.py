"""The records that the spec asks for, one module for each purpose. Pure; reconcile.dns.records puts them together."""
