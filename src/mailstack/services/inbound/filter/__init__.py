"""What Sieve scripts make of a mail that is delivered: which ones run, what they may know, and what they want done."""
