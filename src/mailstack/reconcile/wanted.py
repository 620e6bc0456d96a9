"""One desired resource, and the secrets behind it: what desired builds, diff compares and apply fulfils."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailstack.model.password import scheme_of
from mailstack.model.resource import Body, Kind, Resource, fields_of
from mailstack.spec.faults import Fault
from mailstack.spec.faults import Path as SpecPath
from mailstack.spec.secrets import SecretMissing

Digest = Callable[[Kind, str, str, str], str]
"""Of kind, resource name, secret name and value."""
Resolve = Callable[[str, Path], str]
"""The secret behind a reference, or SecretMissing; the path is where relative ones start."""
FaultAt = Callable[[SpecPath, str], Fault]
"""A fault at the value that has this path in the spec."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Stands for a secret that cannot be read here, and that the server has: it stays. digest: what is known of it."""

    digest: str


Secret = str | Kept
Held = Callable[[Kind, str, str], str | None]
"""The digest of a secret that the server has, by kind, resource name and secret name; None where it has none."""


def nothing_held(_kind: Kind, _name: str, _secret: str) -> None:
    """For specs whose every secret can be read: one that is missing is a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """secrets: the values behind resource.digests, as the spec gives them, without those that are kept. made: fields
    and secrets that apply makes; a resource that has any is always written. reason: why, where the fields do not say.
    """

    resource: Resource
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    made: tuple[str, ...] = ()
    reason: str = ""


def keyed_digest(key: bytes) -> Digest:
    def digest(kind: Kind, name: str, secret: str, value: str) -> str:
        text = "\0".join((kind, name, secret, value))
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()

    return digest


def is_guessable(kind: Kind, secret: str) -> bool:
    """What people think of, and others may: passwords and logins. No hash of one, and no key."""
    return kind in (Kind.RELAY, Kind.SPAM) or (kind is Kind.ACCOUNT and scheme_of(secret) is None)


class Secrets:
    """Reads what the spec refers to, and gathers what is missing instead of stopping at the first.

    resolve_here: what this machine shows to those whom it asks, where that is read in another way than the rest.
    tells_guesses: False where whoever asks must not learn whether a password is the one in use; `untold` then names
    the resources whose secrets were not compared.
    """

    def __init__(
        self,
        resolve: Resolve,
        directory: Path,
        digest: Digest,
        fault_at: FaultAt,
        held: Held = nothing_held,
        resolve_here: Resolve | None = None,
        *,
        tells_guesses: bool = True,
    ) -> None:
        self._resolve = resolve
        self._directory = directory
        self._digest = digest
        self._fault_at = fault_at
        self._held = held
        self._resolve_here = resolve_here or resolve
        self._tells_guesses = tells_guesses
        self.faults: list[Fault] = []
        self.untold: dict[tuple[Kind, str], None] = {}

    @property
    def directory(self) -> Path:
        return self._directory

    def read(self, path: SpecPath, reference: str) -> str:
        """path: where the reference stands in the spec. "" where the secret is missing."""
        try:
            return self._resolve(reference, self._directory)
        except SecretMissing as missing:
            self.report(path, str(missing))
            return ""

    def require_here(self, path: SpecPath, reference: str) -> None:
        """That it can be read, when it is needed."""
        try:
            self._resolve_here(reference, self._directory)
        except SecretMissing as missing:
            self.report(path, str(missing))

    def read_or_keep(self, path: SpecPath, reference: str, kind: Kind, name: str, secret: str) -> Secret:
        """As read; what cannot be read, and that very resource has, is kept."""
        try:
            return self.unless_told(kind, name, secret, self._resolve(reference, self._directory))
        except SecretMissing as missing:
            digest = self._held(kind, name, secret)
            if digest is not None:
                return Kept(digest)
            self.report(path, str(missing))
            return ""

    def unless_told(self, kind: Kind, name: str, secret: str, value: str) -> Secret:
        """The value; or, where it could be tried whether it is the one that the resource has, that one."""
        digest = None if self._tells_guesses or not is_guessable(kind, value) else self._held(kind, name, secret)
        if digest is None:
            return value
        self.untold[kind, name] = None
        return Kept(digest)

    def report(self, path: SpecPath, message: str) -> None:
        self.faults.append(self._fault_at(path, message))

    def wanted(self, kind: Kind, name: str, body: Body, secrets: Mapping[str, Secret] | None = None) -> Wanted:
        digests: dict[str, str] = {}
        given: dict[str, str] = {}
        for secret, value in (secrets or {}).items():
            if isinstance(value, Kept):
                digests[secret] = value.digest
            else:
                digests[secret] = self._digest(kind, name, secret, value)
                given[secret] = value
        resource = Resource(kind=kind, name=name, fields=fields_of(body), digests=digests)
        return Wanted(resource=resource, secrets=given)
