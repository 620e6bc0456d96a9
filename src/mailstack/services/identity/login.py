"""A name and a password become an account, or nothing: one answer and one cost for every way to fail.

Keeps the keyed digests of recent successes, so that a client with ten connections costs one hash. Does not count
failures: that is the protocol servers' limit on each connection, and the firewall's, which reads the one log line that
each end of a login has here. RFC 4954 §6, RFC 9051 §6.2.
"""

import asyncio
import hmac
from collections import OrderedDict
from dataclasses import dataclass

import structlog

from mailstack.model.address import parse_address
from mailstack.model.errors import AuthenticationFailed, Forbidden, Invalid
from mailstack.model.instant import MINUTE_MS, Clock, Instant
from mailstack.model.principal import Ability, Account
from mailstack.ports.accounts import Accounts
from mailstack.services.identity.passwords import verify_password

CACHE_ENTRIES = 10_000
CACHE_LIFETIME_MS = 10 * MINUTE_MS
HASHES_AT_ONCE = 2
"""A hash takes a core and 64 MiB: a flood of logins waits here instead of filling the memory."""

LOGGED_NAME = 128
"""How much of a name that somebody tried is logged."""

# The hash of a random password nobody kept: what a login without an account is checked against.
_DECOY = "$argon2id$v=19$m=65536,t=3,p=4$SUc0R1YlkjDJQITMZZiClg$DOqDfetxdgMigfAUxhVJx+0y3QaDS6bmZYR6tGjul6A"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginOrigin:
    """Where somebody logs in from, for the log. service: imap, submission or submissions."""

    service: str
    peer_host: str


class Login:
    """domains: where a name without @ is looked for. cache_key: random, of this process alone."""

    def __init__(self, accounts: Accounts, *, domains: tuple[str, ...], clock: Clock, cache_key: bytes) -> None:
        self._accounts = accounts
        self._domains = domains
        self._clock = clock
        self._cache_key = cache_key
        self._proved: OrderedDict[bytes, Instant] = OrderedDict()
        self._threads = asyncio.Semaphore(HASHES_AT_ONCE)
        self._decoy = _DECOY

    async def authenticate(self, username: str, password: str, *, ability: Ability, origin: LoginOrigin) -> Account:
        """Raises AuthenticationFailed; Forbidden when the password is right and the account may not do this."""
        account = await self._find(username)
        password_hash = account.password_hash if account else ""
        proof = self._proof(account.account_id if account else "", password_hash, password)
        if not self._is_proved(proof) and not await self._verify(password_hash, password):
            log_failed_login(origin, username, "wrong name or password")
            raise AuthenticationFailed("no such account, or a wrong password")
        if account is None:  # a decoy never passes; this tells the type checker and a future reader
            raise AuthenticationFailed("no such account")
        self._remember(proof)
        if ability not in account.abilities:
            _log("login refused", origin, username, account=account.login, ability=ability.value)
            raise Forbidden(f"{account.login} may not {ability.value}")
        _log("logged in", origin, username, account=account.login)
        return account

    async def _find(self, username: str) -> Account | None:
        names = (username,) if "@" in username else tuple(f"{username}@{domain}" for domain in self._domains)
        found: dict[str, Account] = {}
        for name in names:
            try:
                key = parse_address(name).key
            except Invalid:
                return None
            owner = await self._accounts.find(key)
            if isinstance(owner, Account):
                found[owner.account_id] = owner
        return found.popitem()[1] if len(found) == 1 else None

    async def _verify(self, password_hash: str, password: str) -> bool:
        """Without a hash, checks against the decoy, so that the time taken does not tell which accounts exist."""
        async with self._threads:
            is_right = await asyncio.to_thread(verify_password, password_hash or self._decoy, password)
        if not password_hash:
            return False
        # The next login without an account costs what the last one with an account did, whatever its kind of hash.
        self._decoy = password_hash
        return is_right

    def _proof(self, account_id: str, password_hash: str, password: str) -> bytes:
        # Holds the hash, so that a changed password forgets every earlier success.
        parts = (account_id, password_hash, password)
        return hmac.digest(self._cache_key, "\0".join(parts).encode("utf-8", "surrogatepass"), "sha256")

    def _is_proved(self, proof: bytes) -> bool:
        until = self._proved.get(proof)
        return until is not None and self._clock() < until

    def _remember(self, proof: bytes) -> None:
        """A lifetime counts from the last hashing, not from the last use."""
        if not self._is_proved(proof):
            self._proved[proof] = Instant(self._clock() + CACHE_LIFETIME_MS)
        self._proved.move_to_end(proof)
        while len(self._proved) > CACHE_ENTRIES:
            self._proved.popitem(last=False)


def log_failed_login(origin: LoginOrigin, username: str, reason: str) -> None:
    """username: as tried, "" where it never came to one."""
    _log("login failed", origin, username, reason=reason)


def _log(event: str, origin: LoginOrigin, username: str, **facts: str) -> None:
    log.info(event, service=origin.service, peer=origin.peer_host, user=_printable(username), **facts)


def _printable(username: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in username[:LOGGED_NAME])
