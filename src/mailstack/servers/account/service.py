"""What the account page needs: everything comes in here, nothing is looked up elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstack.model.client_settings import ClientSettings
from mailstack.model.instant import Clock
from mailstack.model.principal import Account
from mailstack.ports.app_passwords import AppPasswords
from mailstack.ports.state import State
from mailstack.servers.http.signed_in import SignedIn
from mailstack.services.conduct import Conduct
from mailstack.services.identity.phone_links import PhoneLinks
from mailstack.services.mailbox.account_mail import AccountMail


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountService:
    """mail_of: an account's own mail, seen by itself. settings_of: by domain. sign: what a profile is signed with, None
    for nothing that a device would trust. token: random octets."""

    signed_in: SignedIn
    conduct: Conduct
    state: State
    app_passwords: AppPasswords
    phone_links: PhoneLinks
    settings_of: Callable[[str], ClientSettings | None]
    sign: Callable[[bytes], bytes] | None
    mail_of: Callable[[Account], AccountMail]
    clock: Clock
    token: Callable[[int], bytes]
