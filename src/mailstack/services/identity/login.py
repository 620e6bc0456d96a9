"""A name and a password become an account, or nothing: one answer and one cost for every way to fail. An app password
is taken for the account's own, and alone, as a bearer token; a name that names it proves it without sending it.

Keeps the keyed digests of recent successes, so that a client with ten connections costs one hash. Does not count
failures: that is the protocol servers' limit on each connection, and the firewall's, which reads the one log line that
each end of a login has here. RFC 4954 §6, RFC 9051 §6.2.
"""

import asyncio
import hmac
from collections import OrderedDict
from dataclasses import dataclass, replace

import structlog

from mailstack.model.address import parse_address
from mailstack.model.app_password import AppPassword, parted_name
from mailstack.model.errors import AuthenticationFailed, DomainError, Forbidden, Invalid
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.instant import MINUTE_MS, SECOND_MS, Clock, Instant
from mailstack.model.log_events import plain
from mailstack.model.password import main_hash, verifier_of, with_verifier
from mailstack.model.principal import Ability, Account
from mailstack.model.scram import ScramVerifier
from mailstack.ports.accounts import Accounts
from mailstack.ports.app_passwords import AppPasswords
from mailstack.ports.verifiers import Verifiers
from mailstack.services.identity.app_passwords import SERVICE_OF, app_password_in, app_password_named, is_use_to_note
from mailstack.services.identity.decoys import decoy, decoy_domain
from mailstack.services.identity.delays import LoginDelays
from mailstack.services.identity.passwords import HashCost, make_verifier, verify_password

CACHE_ENTRIES = 10_000
CACHE_LIFETIME_MS = 10 * MINUTE_MS
TOLD_EVERY_MS = 60 * MINUTE_MS
"""How often it is logged who logs in with each request, for an account and an address."""
HASHES_AT_ONCE = 2
"""A hash takes a core and 64 MiB: a flood of logins waits here instead of filling the memory."""

LOGGED_NAME = 128
"""How much of a name that somebody tried is logged."""

LOOK_EVERY_MS = 30 * SECOND_MS
"""How soon it is seen that accounts have got their first verifier, or lost their last one."""

PASSWORD = "password"
SCRAM = "scram"
TOKEN = "token"
"""How a password is shown: itself, by what only who knows it can compute, or an app password that comes alone."""

WRONG = "wrong name or password"
WRONG_TOKEN = "no such token"

# The hash of a random password nobody kept: what a login without an account is checked against.
_DECOY = "$argon2id$v=19$m=65536,t=3,p=4$SUc0R1YlkjDJQITMZZiClg$DOqDfetxdgMigfAUxhVJx+0y3QaDS6bmZYR6tGjul6A"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginOrigin:
    """Where somebody logs in from. service: for the log, and one of services.identity.app_passwords.SERVICE_OF where
    app passwords are taken. proof: how a password is shown, for the log. is_repeated: it is a login for each request,
    which is told once in a while."""

    service: str
    peer_host: str
    proof: str = PASSWORD
    is_repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Who wants to prove a password. verifier: a made-up one where the account, or the one it has, is None."""

    username: str
    account: Account | None
    verifier: ScramVerifier


class Login:
    """delays: of failed logins. domains: where a name without @ is looked for. cache_key: random, of this process
    alone."""

    def __init__(
        self,
        accounts: Accounts,
        verifiers: Verifiers,
        app_passwords: AppPasswords,
        delays: LoginDelays,
        *,
        domains: tuple[str, ...],
        clock: Clock,
        cache_key: bytes,
    ) -> None:
        self._accounts = accounts
        self._verifiers = verifiers
        self._app_passwords = app_passwords
        self._delays = delays
        self._domains = domains
        self._clock = clock
        self._cache_key = cache_key
        self._proved: OrderedDict[bytes, Instant] = OrderedDict()
        self._told: OrderedDict[tuple[str, str, AccountId, AppPasswordId | None], Instant] = OrderedDict()
        self._threads = asyncio.Semaphore(HASHES_AT_ONCE)
        self._decoy = _DECOY
        self._looking = asyncio.Lock()
        self._looked_at: Instant | None = None
        self._iterations: frozenset[int] = frozenset()
        self._decoy_key = b""

    @property
    def has_verifiers(self) -> bool:
        """Whether anybody can prove a password without sending it; as look_for_verifiers found last."""
        return bool(self._iterations)

    async def look_for_verifiers(self) -> None:
        """Before anything is offered. Reads at most every LOOK_EVERY_MS; what cannot be read stays as it was."""
        async with self._looking:
            if self._looked_at is not None and 0 <= self._clock() - self._looked_at < LOOK_EVERY_MS:
                return
            self._looked_at = self._clock()
            try:
                self._iterations = frozenset(await self._verifiers.iterations())
            except DomainError as fault:
                log.warning("verifiers not read", reason=fault.detail)

    async def authenticate(self, username: str, password: str, *, ability: Ability, origin: LoginOrigin) -> Account:
        """Raises AuthenticationFailed; Forbidden when the password is right and the account may not do this;
        TryAgainLater for who fails too often at the same time."""
        self._delays.require_a_turn(origin.peer_host)
        name, named = parted_name(username)
        account = await self._find(name)
        # Looked for whoever was named, so that the time taken does not tell which accounts exist.
        app_password = await app_password_in(self._accounts, password, now=self._clock())
        is_meant = app_password is not None and named in (None, app_password.app_password_id)
        if account is not None and app_password is not None and is_meant and _is_good_for(app_password, account):
            return await self._admit_by(app_password, account, ability, origin, username)
        if named is not None:
            account = None  # such a name is of nothing else
        password_hash = account.password_hash if account else ""
        proof = self._proof(account.account_id if account else "", password_hash, password)
        is_proved = self._is_proved(proof)
        if not is_proved and not await self._verify(password_hash, password):
            raise await self.failed(origin, username)
        if account is None:  # a decoy never passes; this tells the type checker and a future reader
            raise AuthenticationFailed("no such account")
        self._remember(proof)
        if not is_proved:
            await self._add_verifier(account, password)
        return await self._able(account, ability, origin, username)

    async def authenticate_bearer(self, token: str, *, ability: Ability, origin: LoginOrigin) -> Account:
        """By an app password that comes alone, and names its account: RFC 6750. Raises as authenticate does."""
        origin = replace(origin, proof=TOKEN)
        self._delays.require_a_turn(origin.peer_host)
        app_password = await app_password_in(self._accounts, token, now=self._clock())
        account = await self._accounts.account(app_password.account_id) if app_password else None
        if app_password is None or account is None or not _is_good_for(app_password, account):
            raise await self.failed(origin, "", WRONG_TOKEN)
        return await self._admit_by(app_password, account, ability, origin, account.login)

    async def candidate(self, username: str, origin: LoginOrigin) -> Candidate:
        """Reads and computes the same for every name, whether there is such an account or not. Raises TryAgainLater as
        authenticate does."""
        self._delays.require_a_turn(origin.peer_host)
        name, named = parted_name(username)
        found = await self._find(name)
        # Read anew: what is remembered of a generation lacks a verifier that another process has added since.
        account = await self._accounts.account(found.account_id if found else AccountId(""))
        made_up = await self._made_up(username)
        if named is not None:
            return await self._candidate_by(named, account, made_up, username)
        own = verifier_of(account.password_hash) if account else None
        return Candidate(username=username, account=account if own else None, verifier=own or made_up)

    async def admit(self, candidate: Candidate, *, ability: Ability, origin: LoginOrigin) -> Account:
        """Who has proved what its verifier asks for. Raises as authenticate does."""
        if candidate.account is None:  # nobody knows a password of a made-up verifier
            raise await self.failed(origin, candidate.username)
        if candidate.account.app_password is not None:
            by = candidate.account.app_password
            return await self._admit_by(by, candidate.account, ability, origin, candidate.username)
        return await self._able(candidate.account, ability, origin, candidate.username)

    async def failed(self, origin: LoginOrigin, username: str, reason: str = WRONG) -> AuthenticationFailed:
        """To be raised. username: as tried, "" where it never came to one. reason: holds nothing that was sent."""
        _log("login failed", origin, username, reason=reason)
        await self._delays.hold(origin.peer_host, _name_key(username))
        return AuthenticationFailed("no such account, or a wrong password")

    async def _candidate_by(
        self, named: AppPasswordId, account: Account | None, made_up: ScramVerifier, username: str
    ) -> Candidate:
        account_id = account.account_id if account else AccountId("")
        by = await app_password_named(self._app_passwords, account_id, named, now=self._clock())
        if account is None or by is None or not _is_good_for(by, account):
            return Candidate(username=username, account=None, verifier=made_up)
        return Candidate(username=username, account=replace(account, app_password=by), verifier=by.verifier)

    async def _admit_by(
        self, app_password: AppPassword, account: Account, ability: Ability, origin: LoginOrigin, username: str
    ) -> Account:
        entering = replace(account, app_password=app_password)
        if SERVICE_OF.get(origin.service) not in app_password.services:
            _log("login refused", origin, username, **_who(entering))
            await self._delays.hold(origin.peer_host, _name_key(username))
            raise Forbidden(f"the app password is not for {origin.service}")
        admitted = await self._able(entering, ability, origin, username)
        if is_use_to_note(app_password, self._clock()):
            await self._note_use(app_password)
        return admitted

    async def _note_use(self, app_password: AppPassword) -> None:
        """No login fails over it."""
        try:
            await self._app_passwords.note_use(app_password.app_password_id, at=self._clock())
        except DomainError as fault:
            log.warning("use of app password not noted", app_password=app_password.app_password_id, reason=fault.detail)

    async def _able(self, account: Account, ability: Ability, origin: LoginOrigin, username: str) -> Account:
        if ability in account.abilities:
            if not origin.is_repeated or self._is_news(origin, account):
                _log("logged in", origin, username, **_who(account))
            return account
        _log("login refused", origin, username, **_who(account), ability=ability.value)
        # As long as for a wrong password: that this one is right is nobody's to find out here.
        await self._delays.hold(origin.peer_host, _name_key(username))
        raise Forbidden(f"{account.login} may not {ability.value}")

    def _is_news(self, origin: LoginOrigin, account: Account) -> bool:
        by = account.app_password
        key = (origin.service, origin.peer_host, account.account_id, by.app_password_id if by else None)
        now = self._clock()
        until = self._told.get(key)
        if until is not None and now < until:
            return False
        self._told[key] = Instant(now + TOLD_EVERY_MS)
        self._told.move_to_end(key)
        while len(self._told) > CACHE_ENTRIES:
            self._told.popitem(last=False)
        return True

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

    async def _made_up(self, username: str) -> ScramVerifier:
        if not self._decoy_key:
            self._decoy_key = await self._verifiers.decoy_key()
        name = username
        if "@" not in name:
            name = f"{name}@{decoy_domain(name.casefold(), self._domains, key=self._decoy_key)}"
        return decoy(_name_key(name), key=self._decoy_key, iterations=self._iterations)

    async def _add_verifier(self, account: Account, password: str) -> None:
        """To an account whose hash came without one: now its password is at hand. No login fails over it."""
        try:
            now = await self._accounts.account(account.account_id)
            if now is None or now.password_hash != account.password_hash or verifier_of(now.password_hash):
                return
            async with self._threads:
                verifier = await asyncio.to_thread(make_verifier, password, cost=HashCost.NORMAL)
            after = with_verifier(now.password_hash, verifier)
            if await self._verifiers.keep(account.account_id, before=now.password_hash, after=after):
                self._iterations |= {verifier.iterations}
        except DomainError as fault:
            log.warning("verifier not kept", account=account.login, reason=fault.detail)

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
        parts = (account_id, main_hash(password_hash), password)
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


def _is_good_for(app_password: AppPassword, account: Account) -> bool:
    """An account without a password of its own is one that nobody logs in to."""
    return app_password.account_id == account.account_id and bool(account.password_hash)


def _who(account: Account) -> dict[str, str]:
    by = account.app_password
    return {"account": account.login} | ({"app_password": by.app_password_id} if by else {})


def _name_key(username: str) -> str:
    """The same for all ways of writing an address."""
    try:
        return parse_address(username).key
    except Invalid:
        return username


def _log(event: str, origin: LoginOrigin, username: str, **facts: str) -> None:
    user = plain(username, LOGGED_NAME)
    log.info(event, service=origin.service, peer=origin.peer_host, user=user, proof=origin.proof, **facts)
