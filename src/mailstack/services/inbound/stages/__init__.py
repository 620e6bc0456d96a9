"""The stages of receiving, one file each; services.inbound.pipeline says when each runs."""
