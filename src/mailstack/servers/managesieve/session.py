"""What one client has reached: who it is. RFC 5804 §2."""

import asyncio
from enum import Enum

import structlog

from mailstack.model.ids import AccountId
from mailstack.model.log_events import plain
from mailstack.model.principal import Account
from mailstack.net.admission import Place
from mailstack.ports.accounts import Accounts
from mailstack.servers.conversation import Conversation, Farewell
from mailstack.servers.managesieve.service import ManageSieveService
from mailstack.wire.managesieve import capability
from mailstack.wire.managesieve.events import Event
from mailstack.wire.managesieve.limits import BEFORE_LOGIN, after_login
from mailstack.wire.managesieve.machine import ManageSieveMachine
from mailstack.wire.managesieve.responses import Capability, Response

NAME = "managesieve"
"""As the log and the spec call the service."""
LOGGED_SCRIPT = 128
"""How much of a script's name is logged."""

log = structlog.get_logger()

ManageSieveConversation = Conversation[Event, Response]


class State(Enum):
    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    LOGOUT = "logout"


class Session:
    """login_deadline: ends the connection of a client that does not log in."""

    def __init__(
        self,
        service: ManageSieveService,
        machine: ManageSieveMachine,
        connection: ManageSieveConversation,
        place: Place,
        login_deadline: asyncio.Timeout,
    ) -> None:
        self.service = service
        self.machine = machine
        self.connection = connection
        self.refused_logins = 0
        self._place = place
        self._login_deadline = login_deadline
        self._account: Account | None = None
        self._is_over = False

    @property
    def state(self) -> State:
        if self._is_over:
            return State.LOGOUT
        return State.NOT_AUTHENTICATED if self._account is None else State.AUTHENTICATED

    @property
    def account(self) -> Account | None:
        """Who is logged in, as at the login."""
        return self._account

    @property
    def account_id(self) -> AccountId:
        """Only once authenticated: the dispatcher sees to that."""
        if self._account is None:
            raise RuntimeError("not authenticated")
        return self._account.account_id

    @property
    def accounts(self) -> Accounts:
        return self.service.accounts

    @property
    def peer_host(self) -> str:
        return self.connection.stream.peer[0]

    @property
    def is_private(self) -> bool:
        """Whether a password may be sent here. RFC 5804 §5."""
        return self.connection.stream.tls is not None or self.service.plaintext_is_secure(self.peer_host)

    @property
    def offers_starttls(self) -> bool:
        return self.service.tls is not None and self.connection.stream.tls is None

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """RFC 5804 §1.7."""
        tls = self.connection.stream.tls
        mechanisms = self.service.sasl.offer(tls).names if self.is_private else ()
        if self._account is not None:
            return capability.after_login(self.service.engine, owner=self._account.login, mechanisms=mechanisms)
        return capability.before_login(self.service.engine, offers_starttls=self.offers_starttls, mechanisms=mechanisms)

    def begin(self, account: Account) -> bool:
        """After a login. False: the account has enough connections already."""
        limit = self.service.limits.connections_per_account
        if not self._place.take_as_account(account.account_id, limit=limit):
            return False
        self._account = account
        self._login_deadline.reschedule(None)
        self.machine.use_limits(after_login(self.service.scripts.limits.script_octets))
        return True

    def forget(self) -> None:
        """RFC 5804 §2.14.1: nothing is left of who was here, but TLS, and that the connection is counted as theirs
        until somebody else logs in."""
        self._account = None
        self._login_deadline.reschedule(asyncio.get_running_loop().time() + self.service.limits.login_s)
        self.machine.use_limits(BEFORE_LOGIN)

    def finish(self) -> None:
        """What is said is said, and nothing more is read."""
        self._is_over = True

    def tell(self, event: str, script: str, **facts: object) -> None:
        """The log, of what was done to a script."""
        login = "" if self._account is None else self._account.login
        name = plain(script, LOGGED_SCRIPT)
        log.info(event, service=NAME, peer=self.peer_host, account=login, script=name, **facts)

    def end(self, farewell: Farewell) -> None:
        """From outside, once the command in hand is answered."""
        self.connection.end(farewell)

    def abort(self) -> None:
        self.connection.abort()
