"""What webmail needs: everything comes in here, nothing is looked up elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstack.model.principal import Account
from mailstack.servers.http.signed_in import SignedIn
from mailstack.services.mailbox.account_mail import AccountMail


@dataclass(frozen=True, slots=True, kw_only=True)
class WebmailService:
    """mail_of: an account's own mail, seen by itself."""

    signed_in: SignedIn
    mail_of: Callable[[Account], AccountMail]
