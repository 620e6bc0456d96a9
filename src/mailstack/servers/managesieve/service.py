"""What a ManageSieve server needs: everything comes in here, nothing is looked up elsewhere."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailstack.net.teller import Teller
from mailstack.ports.accounts import Accounts
from mailstack.servers.sasl import SaslService
from mailstack.services.conduct import Conduct
from mailstack.services.scripts import AccountScripts
from mailstack.wire.managesieve.capability import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageSieveLimits:
    """login_s: from the greeting to a login. idle_s: without a command. write_s: how long a client may leave its window
    shut. faults: commands in a row that break the grammar, login_tries: refused logins, stranger_commands: all commands
    before a login, before the connection ends. connections_per_ip: before a login, and strangers: those of all
    addresses in one process; connections_per_account: after it.
    """

    login_s: float = 60
    idle_s: float = 30 * 60
    write_s: float = 5 * 60
    handshake_s: float = 30
    faults: int = 50
    login_tries: int = 5
    stranger_commands: int = 100
    connections_per_ip: int = 20
    strangers: int = 2_000
    connections_per_account: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageSieveService:
    """tls: what STARTTLS switches to; None where it is not offered. notify_schemes: of the URIs that `notify` takes.
    plaintext_is_secure: may this peer, by its address, log in without TLS.
    """

    hostname: str
    limits: ManageSieveLimits
    tls: ssl.SSLContext | None
    sasl: SaslService
    accounts: Accounts
    scripts: AccountScripts
    notify_schemes: Sequence[str]
    conduct: Conduct
    plaintext_is_secure: Callable[[str], bool]
    teller: Teller = field(default_factory=Teller)

    @property
    def engine(self) -> Engine:
        return Engine(
            extensions=self.scripts.extensions,
            redirects=self.scripts.limits.redirects,
            notify_schemes=self.notify_schemes,
        )
