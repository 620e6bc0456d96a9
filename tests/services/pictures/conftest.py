"""One account's mail on a real store."""

from tests.services.mailbox.conftest import mail

__all__ = ["mail"]
