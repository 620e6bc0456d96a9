"""ARC: what earlier handlers of a message saw of its sender, checked and handed on. RFC 8617."""
