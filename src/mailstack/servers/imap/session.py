"""What one client has reached: who it is, which mailbox it looks at. RFC 9051 §3."""

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

from mailstack.model.app_password import AppService
from mailstack.model.principal import Account
from mailstack.net.admission import Place
from mailstack.ports.accounts import Accounts
from mailstack.servers.conversation import Conversation, Farewell, PeerGone
from mailstack.servers.imap.receipt import Receipt
from mailstack.servers.imap.service import ImapService
from mailstack.servers.imap.watch import Watch
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.selected import SelectedMailbox
from mailstack.wire.imap import capability
from mailstack.wire.imap.events import Event
from mailstack.wire.imap.limits import BEFORE_LOGIN, after_login
from mailstack.wire.imap.machine import ImapMachine
from mailstack.wire.imap.responses import Condition, Response, Untagged
from mailstack.wire.imap.write import write

ImapConversation = Conversation[Event, Response]


class State(Enum):
    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended: what its tagged response says. starts_tls, starts_deflate: right after it."""

    condition: Condition
    text: str
    code: str = ""
    starts_tls: bool = False
    starts_deflate: bool = False


def ok(text: str, code: str = "") -> Completed:
    return Completed(condition=Condition.OK, text=text, code=code)


def no(text: str, code: str = "") -> Completed:
    return Completed(condition=Condition.NO, text=text, code=code)


def bad(text: str, code: str = "") -> Completed:
    return Completed(condition=Condition.BAD, text=text, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """RFC 5182 §2.1: what `$` stands for, in the view that it was found in. uids: ascending; what is expunged meanwhile
    the view no longer has.
    """

    view: SelectedMailbox
    uids: "array[int]"


class Session:
    """login_deadline: ends the connection of a client that does not log in. enabled: RFC 5161: what changes how the
    server speaks, by its name in upper case. tag: of the command that is being answered. lowest_processed: the UID
    down to which it went, where that was not all (RFC 9738). done: how much of it is done, and of how much.
    watch: NOTIFY; None as long as it was not given. flags: that the client was told of, of the selected mailbox.
    """

    def __init__(
        self,
        service: ImapService,
        machine: ImapMachine,
        connection: ImapConversation,
        place: Place,
        login_deadline: asyncio.Timeout,
    ) -> None:
        self.service = service
        self.machine = machine
        self.connection = connection
        self.selected: SelectedMailbox | None = None
        self.receipt: Receipt | None = None
        self.refused_logins = 0
        self.enabled: set[str] = set()
        self.tag = ""
        self.done: tuple[int, int | None] | None = None
        self.lowest_processed: int | None = None
        self.saved_search: SavedSearch | None = None
        self.watch: Watch | None = None
        self.flags: tuple[str, ...] = ()
        self._place = place
        self._login_deadline = login_deadline
        self._mail: AccountMail | None = None
        self._is_over = False

    @property
    def state(self) -> State:
        if self._is_over:
            return State.LOGOUT
        if self._mail is None:
            return State.NOT_AUTHENTICATED
        return State.AUTHENTICATED if self.selected is None else State.SELECTED

    @property
    def mail(self) -> AccountMail:
        """Only once authenticated: the dispatcher sees to that."""
        if self._mail is None:
            raise RuntimeError("not authenticated")
        return self._mail

    @property
    def account(self) -> Account | None:
        """Who is logged in, as at the login."""
        return None if self._mail is None else self._mail.viewer

    @property
    def accounts(self) -> Accounts:
        return self.service.accounts

    @property
    def peer_host(self) -> str:
        return self.connection.stream.peer[0]

    @property
    def mailbox(self) -> SelectedMailbox:
        """Only once selected: the dispatcher sees to that."""
        if self.selected is None:
            raise RuntimeError("nothing selected")
        return self.selected

    @property
    def saved_uids(self) -> Sequence[int]:
        """RFC 5182 §2.1: `$` is empty until a SEARCH in this very SELECT has saved something."""
        saved = self.saved_search
        return saved.uids if saved is not None and saved.view is self.selected else ()

    @property
    def is_private(self) -> bool:
        """Whether a password may be sent here. RFC 9051 §11.1."""
        stream = self.connection.stream
        return stream.tls is not None or self.service.plaintext_is_secure(stream.peer[0])

    @property
    def capabilities(self) -> tuple[str, ...]:
        if self._mail is not None:
            return capability.after_login(
                message_octets=self.service.limits.message_octets,
                messages=self.service.limits.messages,
                has_jmap=self.jmap_url is not None,
            )
        offers_starttls = self.service.tls is not None and self.connection.stream.tls is None
        return capability.before_login(
            offers_starttls=offers_starttls,
            mechanisms=self.service.sasl.offer(self.connection.stream.tls).names if self.is_private else (),
            message_octets=self.service.limits.message_octets,
            messages=self.service.limits.messages,
        )

    @property
    def jmap_url(self) -> str | None:
        """RFC 9698 §3: what was good enough to log in here is so there, or it is not offered."""
        by = self.account.app_password if self.account else None
        return self.service.jmap_url if by is None or AppService.JMAP in by.services else None

    @property
    def is_rev2(self) -> bool:
        return capability.REV2 in self.enabled

    @property
    def is_condstore(self) -> bool:
        """RFC 7162 §3.1: by ENABLE, or by the first command that speaks of mod-sequences."""
        return capability.CONDSTORE in self.enabled or self.is_qresync

    @property
    def is_qresync(self) -> bool:
        return capability.QRESYNC in self.enabled

    @property
    def is_utf8(self) -> bool:
        """RFC 6855 §3, RFC 9051 §5.1: mailbox names are UTF-8, not modified UTF-7."""
        return capability.UTF8 in self.enabled or self.is_rev2

    @property
    def is_uid_only(self) -> bool:
        """RFC 9586: the client knows no message numbers."""
        return capability.UID_ONLY in self.enabled

    def begin(self, account: Account) -> bool:
        """After a login. False: the account has enough connections already."""
        limits = self.service.limits
        if not self._place.take_as_account(account.account_id, limit=limits.connections_per_account):
            return False
        self._mail = self.service.mail_of(account)
        self._login_deadline.reschedule(None)
        self.machine.use_limits(after_login(limits.message_octets))
        return True

    def forget(self) -> None:
        """RFC 8437 §4.1: nothing is left of who was here, but TLS, and that the connection is counted as theirs until
        somebody else logs in."""
        self._mail = None
        self.selected = None
        self.saved_search = None
        self.watch = None
        self.enabled.clear()
        self._login_deadline.reschedule(asyncio.get_running_loop().time() + self.service.limits.login_s)
        self.use_utf8(is_on=False)
        self.machine.use_limits(BEFORE_LOGIN)

    def use_utf8(self, *, is_on: bool) -> None:
        """RFC 6855 §3: whether mailbox names are UTF-8 from here on, in both directions."""
        self.connection.write = partial(write, is_utf8=is_on)
        self.machine.use_utf8(is_on=is_on)

    def report(self, done: int, goal: int | None) -> None:
        """How far the command in hand has come. Raises PeerGone when nobody waits for it any more."""
        self.done = done, goal
        if self.connection.stream.is_closed:
            raise PeerGone

    def hang_up(self, text: str) -> None:
        """RFC 9051 §7.1.5: BYE, and nothing more is read."""
        self.connection.say(Untagged(condition=Condition.BYE, text=text))
        self._is_over = True

    def end(self, farewell: Farewell) -> None:
        """From outside, once the command in hand is answered."""
        self.connection.end(farewell)

    def abort(self) -> None:
        self.connection.abort()

    def drop_receipt(self) -> None:
        if self.receipt is not None:
            self.receipt.spool.close()
            self.receipt = None
