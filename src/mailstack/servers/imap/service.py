"""What an IMAP server needs: everything comes in here, nothing is looked up elsewhere."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from mailstack.model.instant import Clock
from mailstack.model.principal import Account
from mailstack.net.teller import Teller
from mailstack.ports.accounts import Accounts
from mailstack.ports.annotations import Annotations
from mailstack.ports.bus import Bus
from mailstack.ports.changes import Changes
from mailstack.ports.emails import Emails
from mailstack.ports.mailboxes import Mailboxes
from mailstack.ports.messages import Messages
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.ports.search import Search
from mailstack.ports.sharing import Sharing
from mailstack.ports.spam_lessons import Noting
from mailstack.ports.tree_changes import TreeChanges
from mailstack.servers.sasl import SaslService
from mailstack.services.conduct import Conduct
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.views import ViewCache
from mailstack.wire.imap.limits import DEFAULT_MESSAGE_OCTETS


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLimits:
    """message_octets: the largest APPEND. login_s: from the greeting to a login. idle_s: RFC 9051 §5.4: at least half
    an hour without a command. write_s: how long a client may leave its window shut. faults: commands in a row that
    break the grammar, and login_tries: refused logins, before the connection ends. idle_poll_s: how often IDLE looks
    without having been woken. idle_sign_s: how often it gives a sign of life,
    and progress_s: a command that takes long. messages: how many one command may name: RFC 9738. connections_per_ip:
    before a login, and strangers: those of all addresses in one process; connections_per_account: after it.
    """

    message_octets: int = DEFAULT_MESSAGE_OCTETS
    login_s: float = 60
    idle_s: float = 30 * 60
    write_s: float = 5 * 60
    handshake_s: float = 30
    idle_poll_s: float = 30
    idle_sign_s: float = 120
    progress_s: float = 10
    messages: int = 1_000_000
    faults: int = 50
    login_tries: int = 5
    connections_per_ip: int = 20
    strangers: int = 2_000
    connections_per_account: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapService:
    """tls: what STARTTLS switches to; None where it is not offered. plaintext_is_secure: may this peer, by its address,
    log in without TLS. jmap_url: RFC 9698: where JMAP gives the same mail; None where it does not.
    """

    hostname: str
    limits: ImapLimits
    tls: ssl.SSLContext | None
    sasl: SaslService
    accounts: Accounts
    mailboxes: Mailboxes
    messages: Messages
    emails: Emails
    changes: Changes
    search: Search
    sharing: Sharing
    annotations: Annotations
    tree_changes: TreeChanges
    views: ViewCache
    lessons: Noting
    bus: Bus
    conduct: Conduct
    clock: Clock
    plaintext_is_secure: Callable[[str], bool]
    jmap_url: str | None = None
    teller: Teller = field(default_factory=Teller)
    metrics: Metrics = UNCOUNTED

    def mail_of(self, account: Account) -> AccountMail:
        return AccountMail(
            account=account,
            viewer=account,
            mailboxes=self.mailboxes,
            messages=self.messages,
            emails=self.emails,
            changes=self.changes,
            search=self.search,
            accounts=self.accounts,
            sharing=self.sharing,
            annotations=self.annotations,
            tree_changes=self.tree_changes,
            views=self.views,
            lessons=self.lessons,
        )
