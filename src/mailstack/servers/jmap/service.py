"""What JMAP needs: everything comes in here, nothing is looked up elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from secrets import token_bytes

from mailstack.model.instant import Clock
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.ports.bus import Bus
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.ports.object_journal import ObjectJournal
from mailstack.ports.push_subscriptions import PushSubscriptions
from mailstack.ports.uploads import Uploads
from mailstack.servers.http.signed_in import SignedIn
from mailstack.servers.jmap.turns import Turns
from mailstack.services.conduct import Conduct
from mailstack.services.identity.login import Login
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.outbound.email_sending import EmailSending
from mailstack.services.push.rate import PushRate
from mailstack.services.scripts import AccountScripts
from mailstack.services.sending_identities import AccountIdentities
from mailstack.services.states.feed import StateFeed
from mailstack.services.vacations import AccountVacations
from mailstack.services.web_targets import WebTargets
from mailstack.wire.jmap.limits import JmapLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class JmapService:
    """mail_of: an account's own mail, seen by itself; the same ports and views as IMAP has. plaintext_is_secure: may
    this peer, by its address, log in without TLS. token: random octets. push_key: by which push services know this
    server, as they are told it."""

    login: Login
    mail_of: Callable[[Account], AccountMail]
    accounts: Accounts
    scripts: AccountScripts
    vacations: AccountVacations
    uploads: Uploads
    object_journal: ObjectJournal
    identities: AccountIdentities
    sending: EmailSending
    feed: StateFeed
    push_subscriptions: PushSubscriptions
    push_targets: WebTargets
    push_rate: PushRate
    push_key: str
    bus: Bus
    conduct: Conduct
    signed_in: SignedIn
    clock: Clock
    plaintext_is_secure: Callable[[str], bool]
    limits: JmapLimits = field(default_factory=JmapLimits)
    turns: Turns = field(default_factory=partial(Turns, "maxConcurrentRequests"))
    upload_turns: Turns = field(default_factory=partial(Turns, "maxConcurrentUpload"))
    token: Callable[[int], bytes] = token_bytes
    metrics: Metrics = UNCOUNTED
