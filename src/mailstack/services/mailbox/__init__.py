"""Mailboxes and the messages in them, for every protocol that shows them."""
