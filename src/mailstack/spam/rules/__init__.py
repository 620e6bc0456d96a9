"""Rules: what is known to speak for or against a mail, each with its points; and those that a spec adds."""
