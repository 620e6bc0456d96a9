"""Desired and live resources: what the spec asks for and what the server holds, in one shape that a diff can compare.

`fields` are visible JSON; a secret shows only as a keyed digest in `digests`, so that an unchanged one plans nothing
and no plan can leak it. The bodies below give `fields` their types: one frozen dataclass for each kind, with
`fields_of` and `body_of` between the two forms.
"""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import TypeVar

from mailstack.model.errors import Damaged
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant
from mailstack.model.principal import MailingList, Posters
from mailstack.model.sending_limits import DEFAULT_LIMITS, SendingLimits
from mailstack.model.spam import JUNK_AT, REJECT_AT, SpamPolicy

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Kind(StrEnum):
    """In the order in which they depend on each other: a later kind may name earlier ones."""

    SERVER = "server"  # one, named "server"
    LISTENER = (
        "listener"  # named by service: smtp, submission, submissions, imap, imaps, managesieve, http, https, metrics
    )
    RECEIVING = "receiving"  # one, named "receiving"; none where the spec asks for nothing but the defaults
    SPAM = "spam"  # one, named "spam"; none where the spec asks for nothing but the defaults
    SIEVE = "sieve"  # one, named "sieve": what runs for every account; none where the spec has no such scripts
    ACME_ACCOUNT = "acme_account"  # named by the authority's directory URL
    CERTIFICATE = "certificate"  # named by its first host name
    DOMAIN = "domain"  # named by A-label
    DKIM_KEY = "dkim_key"  # named selector._domainkey.domain
    DMARC = "dmarc"  # named by domain: the stage of a policy that tightens itself
    ACCOUNT = "account"  # named by address key
    SCRIPT = "script"  # named by the account whose Sieve script the spec gives
    ALIAS = "alias"  # named by address key
    LIST = "list"  # named by address key
    SENDING = "sending"  # one, named "sending"; none where the spec asks for nothing but the defaults
    RELAY = "relay"
    ROUTES = "routes"  # one, named "routes"
    DNS_ZONE = "dns_zone"  # named by A-label; remembered so that a zone that leaves the spec is still cleaned up


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """digests: of the secrets that the spec gave last. by_user: fields and secrets that the user wrote since, and when;
    they stay as they are until the spec says something else of them than it did."""

    kind: Kind
    name: str
    fields: Mapping[str, Json]
    digests: Mapping[str, str] = field(default_factory=dict)
    by_user: Mapping[str, Instant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that is applied. spec_hash: SHA-256 of the spec that the last apply ran, "" before the first.
    applied_at: when that was, None before the first."""

    generation: Generation
    spec_hash: str
    resources: Mapping[tuple[Kind, str], Resource]
    applied_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A snapshot in short. counts: how many resources there are of each kind that there are any of."""

    generation: Generation
    spec_hash: str
    applied_at: Instant | None
    counts: Mapping[Kind, int]


class Operation(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"  # an account under a new name, with all that it holds, or its script; fields may change with it
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """One write of an apply. secrets: the values behind `digests` that are new; those not named stay as they are.
    moved_from: the name that a moved resource had, else ""."""

    operation: Operation
    resource: Resource
    secrets: Mapping[str, str] = field(default_factory=dict)
    moved_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BansBody:
    """after: points of model.conduct. never: networks in prefix form."""

    after: int = 30
    first_s: int = 3_600
    longest_s: int = 7 * 86_400
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressNameBody:
    """name: that mail leaving from the address is introduced with."""

    address: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBody:
    """What a node keeps of its events: for how long, and in how much room."""

    keep_s: int = 30 * 86_400
    max_bytes: int = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBody:
    """workers: 0 means one for each core. proxy_from, push_to: networks in prefix form. bans: None: nobody is banned.
    resolvers: `host`, `host:port` or `[v6]:port`; none: the machine's. resolvers_validate: what they say of DNSSEC is
    believed. address_names: of addresses that are not introduced by the host name. log: None: no events are kept. What
    a state from before a field was added lacks has the default."""

    hostname: str
    addresses: tuple[str, ...]
    workers: int
    message_size_bytes: int
    recipients: int
    connections_per_ip: int
    connections_per_account: int = 100
    proxy_from: tuple[str, ...] = ()
    bans: BansBody | None = BansBody()  # frozen
    resolvers: tuple[str, ...] = ()
    resolvers_validate: bool = False
    address_names: tuple[AddressNameBody, ...] = ()
    push_to: tuple[str, ...] = ()
    log: LogBody | None = LogBody()  # frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerBody:
    """endpoints: `:port`, `host:port` or `[v6]:port`; without a host, every address of the machine. Of LMTP also
    `/path mode=0660`, and perhaps `owner=…` and `group=…` behind it."""

    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingBody:
    """dmarc: enforce or mark. spf_fail: mark or reject. on_dns_failure: accept or defer. trusted_sealers: A-labels;
    trusted_peers: networks in prefix form. is_backup: of better mail exchangers; backups: host names of ours. greylist:
    off, suspicious or all. blocklists: their zones, A-labels."""

    dmarc: str = "enforce"
    spf_fail: str = "mark"
    on_dns_failure: str = "accept"
    dns_deadline_s: int = 10
    trusted_sealers: tuple[str, ...] = ()
    trusted_peers: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    is_backup: bool = False
    backups: tuple[str, ...] = ()
    greylist: str = "off"
    blocklists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamPolicyBody:
    """Of a domain or an account, whole: as model.spam.SpamPolicy has it."""

    is_scored: bool = True
    junk_at: float | None = JUNK_AT
    reject_at: float | None = REJECT_AT
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBody:
    """code: of a list in DNS, or a pattern, as model.dns_list.parse_code has it."""

    code: str
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BitBody:
    """bit: of the last number of a code: 1 to 128."""

    bit: int
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsListBody:
    """of: peers, domains, links. points: of codes that neither codes nor bits name; None for nothing."""

    zone: str
    of: tuple[str, ...]
    points: float | None = None
    codes: tuple[CodeBody, ...] = ()
    bits: tuple[BitBody, ...] = ()


RSPAMD_PASSWORD = "rspamd_password"
"""A secret of the resource of spam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RspamdBody:
    """max_points: of its score, that count."""

    url: str
    deadline_s: int
    max_points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClamavBody:
    """socket: a path, None for host and port. on_virus: reject or junk."""

    deadline_s: int
    max_size_bytes: int
    on_virus: str
    socket: str | None = None
    host: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRuleBody:
    """condition: JSON, as spam.rules.own_text writes it."""

    name: str
    points: float
    condition: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamBody:
    """policy: of all who have none of their own. rspamd, clamav: None where it is not asked. Secret: `rspamd_password`,
    where it has one."""

    policy: SpamPolicyBody = SpamPolicyBody()  # frozen
    rules: tuple[OwnRuleBody, ...] = ()
    lists: tuple[DnsListBody, ...] = ()
    rspamd: RspamdBody | None = None
    clamav: ClamavBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerScriptBody:
    """name: of its file; of a global script, the one that includes find it by. content: Sieve."""

    name: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveBody:
    """before, after: run for every account, in this order, around its own. global_: for `include :global`."""

    before: tuple[ServerScriptBody, ...] = ()
    after: tuple[ServerScriptBody, ...] = ()
    global_: tuple[ServerScriptBody, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeAccountBody:
    """email: what the authority was told, "" for nothing. uri: the account's URL, caa_names what CAA records call the
    authority: "" and none until something was ordered there. Secret: `key`, PEM; whoever has it can have certificates
    revoked, so it is made once and kept for good."""

    email: str
    uri: str = ""
    caa_names: tuple[str, ...] = ()


class Renewal(StrEnum):
    """What somebody asked for this certificate."""

    NONE = ""
    ASKED = "asked"  # another one is ordered, however long this one is good for


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateBody:
    """names: host names it is good for. certificate: the PEM chain, leaf first. authority: the ACME directory's URL,
    key_type a word of the spec's `tls.acme.key`, key_since when the key was made: each "" where it is not known.

    Under DANE, a new key waits until everybody knows it. next_key_digest: of its public key, as in TLSA records, in
    hex; next_key_type: its kind; next_key_made: when; next_key_since: from when on it was seen in DNS. last_key_digest,
    last_key_since: of the key before this one, whose record stays for a while. Each "" where there is none. Secrets:
    `key` and `next_key`, PEM.

    renew_from, renew_until: when the authority would have it renewed, renewal_page: where it says why; each "" where it
    says nothing. renewal: a Renewal.
    """

    issuer: str
    names: tuple[str, ...]
    certificate: str
    not_after: str
    authority: str = ""
    key_type: str = ""
    key_since: str = ""
    next_key_digest: str = ""
    next_key_type: str = ""
    next_key_made: str = ""
    next_key_since: str = ""
    last_key_digest: str = ""
    last_key_since: str = ""
    renew_from: str = ""
    renew_until: str = ""
    renewal_page: str = ""
    renewal: str = Renewal.NONE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class MtaStsBody:
    mode: str
    max_age_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainBody:
    """The rest of a domain (SPF, DMARC, …) is for DNS alone, and lives in the DNS plan. mta_sts: the policy that is
    served, which is for DNS as well. dkim_expire_after_s: None: signatures hold for ever. spam: None for what the
    server has. autoconfig: programs ask for settings under names of the domain."""

    catch_all: str | None
    subaddress_separators: str
    alias_of: str | None
    dkim_algorithms: tuple[str, ...]
    mta_sts: MtaStsBody | None = None
    dkim_expire_after_s: int | None = None
    spam: SpamPolicyBody | None = None
    autoconfig: bool = False


class KeyState(StrEnum):
    """In the order of a key's life; its record is in DNS in all of them."""

    PUBLISHED = "published"  # not yet seen in DNS, so that nothing is signed with it
    SIGNS = "signs"
    RETIRED = "retired"  # signs no more; what it signed may still be on its way


class Rotation(StrEnum):
    """What somebody asked for this key."""

    NONE = ""
    ASKED = "asked"  # the next key is made, and takes over once it is seen
    AT_ONCE = "at once"  # this one is not trusted any more: it goes now


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKeyBody:
    """algorithm: rsa2048 or ed25519. public_key: the value of `p=`. state: a KeyState; keys from before there were
    states sign. since: when it came into that state, as instant.iso, "" where nobody noted it. rotation: a
    Rotation. origin: "spec" for a key that the spec gave, else "". Secret: `private_key`, PEM (PKCS 8).
    """

    domain: str
    selector: str
    algorithm: str
    public_key: str
    state: str = KeyState.SIGNS.value
    since: str = ""
    rotation: str = Rotation.NONE.value
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcBody:
    """stage: none, quarantine or reject. published: when apply came to it; since: when its record was first seen in
    DNS, from where its time runs, "" while it is not. Both as instant.iso."""

    stage: str
    since: str = ""
    published: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardBody:
    """targets: address keys."""

    targets: tuple[str, ...]
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsBody:
    """Of what an account submits; None: no limit."""

    messages_per_hour: int | None = None
    messages_per_day: int | None = None
    recipients_per_hour: int | None = None
    recipients_per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBody:
    """addresses: further ones, keys. abilities: words of principal.Ability. forward: None where mail stays. limits:
    None for sending_limits.DEFAULT_LIMITS. spam: None for what the domain has. All None in a state from before there
    were any. Secret: `password`, a hash.
    """

    name: str
    addresses: tuple[str, ...]
    roles: tuple[str, ...]
    abilities: tuple[str, ...]
    quota_bytes: int | None
    forward: ForwardBody | None = None
    limits: LimitsBody | None = None
    spam: SpamPolicyBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptBody:
    """content: Sieve. origin: file or rules."""

    content: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasBody:
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBody:
    """members, owners, posters: address keys. post: a word of principal.Posters. reply_to: author or list."""

    name: str
    description: str
    members: tuple[str, ...]
    owners: tuple[str, ...]
    post: str
    posters: tuple[str, ...]
    subject_prefix: str
    reply_to: str
    unsubscribe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressBody:
    """As model.bad_address.SuppressRule."""

    after: int = 3
    for_s: int = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationBody:
    """name: a glob over recipient domains, and over hosts that take their mail. The rest as of SendingBody."""

    name: str
    concurrency: int
    rate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingBody:
    """schedule_s: the wait after each attempt, the last for good. warn_after_s: None: senders hear of no delay.
    concurrency: connections to one destination at once, of each worker. tls: the least, a LeastTls; None for
    opportunistic. rate: of recipients, as str(model.rate.Rate); None: any number. destinations: the first that fits
    counts; None for none. suppress: None: refusals count for nothing."""

    schedule_s: tuple[int, ...] = (1_800, 3_600, 7_200, 14_400, 28_800)
    lifetime_s: int = 432_000
    warn_after_s: int | None = 14_400
    concurrency: int = 5
    tls: str | None = None
    suppress: SuppressBody | None = SuppressBody()  # frozen
    rate: str | None = None
    destinations: tuple[DestinationBody, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBody:
    """host and port, or socket: a path. tls: implicit, starttls or none. protocol: lmtp, or None for SMTP. Secrets:
    `username` and `password`, both or neither."""

    host: str = ""
    port: int | None = None
    tls: str
    protocol: str | None = None
    socket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpBody:
    """start: YYYY-MM-DD. meanwhile: a relay's name."""

    start: str
    days: int
    meanwhile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteBody:
    """from_: a glob over domains of senders, or an address; None for all. to: a glob over those of recipients, "*" for
    all. mx: one over the hosts that take mail for these; None for all. via: a relay's name, or "direct". tls: the
    least, a LeastTls; None for that of all mail. source: of the server's addresses, None for all."""

    from_: str | None = None
    to: str
    mx: str | None = None
    via: str
    warmup: WarmUpBody | None = None
    tls: str | None = None
    source: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesBody:
    """First match wins; what matches none goes direct."""

    routes: tuple[RouteBody, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsZoneBody:
    """provider: its name in the spec, or "manual". The records themselves live in DNS, not here."""

    provider: str
    ttl_s: int


Body = (
    ServerBody
    | ListenerBody
    | ReceivingBody
    | SpamBody
    | SieveBody
    | AcmeAccountBody
    | CertificateBody
    | DomainBody
    | DkimKeyBody
    | DmarcBody
    | AccountBody
    | ScriptBody
    | AliasBody
    | ListBody
    | SendingBody
    | RelayBody
    | RoutesBody
    | DnsZoneBody
)
AnyBody = TypeVar("AnyBody", bound=Body)

BODY_TYPES: Mapping[Kind, type[Body]] = {
    Kind.SERVER: ServerBody,
    Kind.LISTENER: ListenerBody,
    Kind.RECEIVING: ReceivingBody,
    Kind.SPAM: SpamBody,
    Kind.SIEVE: SieveBody,
    Kind.ACME_ACCOUNT: AcmeAccountBody,
    Kind.CERTIFICATE: CertificateBody,
    Kind.DOMAIN: DomainBody,
    Kind.DKIM_KEY: DkimKeyBody,
    Kind.DMARC: DmarcBody,
    Kind.ACCOUNT: AccountBody,
    Kind.SCRIPT: ScriptBody,
    Kind.ALIAS: AliasBody,
    Kind.LIST: ListBody,
    Kind.SENDING: SendingBody,
    Kind.RELAY: RelayBody,
    Kind.ROUTES: RoutesBody,
    Kind.DNS_ZONE: DnsZoneBody,
}


def list_of(address: str, body: ListBody) -> MailingList:
    """As the directory has it."""
    return MailingList(
        address=address,
        name=body.name,
        description=body.description,
        members=body.members,
        owners=body.owners,
        post=Posters(body.post),
        posters=body.posters,
        subject_prefix=body.subject_prefix,
        replies_to_list=body.reply_to == "list",
        has_unsubscribe=body.unsubscribe,
    )


def limits_body(limits: SendingLimits) -> LimitsBody | None:
    return None if limits == DEFAULT_LIMITS else LimitsBody(**asdict(limits))


def limits_of(body: AccountBody) -> SendingLimits:
    """As the directory has them."""
    return DEFAULT_LIMITS if body.limits is None else SendingLimits(**asdict(body.limits))


def spam_policy_body(policy: SpamPolicy) -> SpamPolicyBody:
    return SpamPolicyBody(**asdict(policy))


def spam_policy_of(body: SpamPolicyBody) -> SpamPolicy:
    """As the directory has it."""
    return SpamPolicy(
        is_scored=body.is_scored,
        junk_at=body.junk_at,
        reject_at=body.reject_at,
        allow=body.allow,
        block=body.block,
    )


_PLAIN = (str, int, float)  # bool is an int


def fields_of(body: Body) -> dict[str, Json]:
    """Plain JSON, tuples as lists."""
    return _as_object(body)


def body_of(body_type: type[AnyBody], resource: Resource) -> AnyBody:
    """Raises Damaged when stored fields do not fit: an older program reading a newer state."""
    wanted: object = body_type
    try:
        return typing.cast(AnyBody, _reader(wanted)(dict(resource.fields)))
    except (KeyError, TypeError, ValueError) as fault:
        raise Damaged(f"{resource.kind} {resource.name} does not fit this version: {fault!r}") from fault


def _as_json(value: object) -> Json:
    # Plain values first: a plan of ten thousand accounts asks this fifty thousand times.
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, tuple):
        return [item if isinstance(item, str) else _as_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _as_inner(value)
    if isinstance(value, dict):
        return value
    raise TypeError(f"{type(value).__name__} is no JSON")


def _as_object(value: object) -> dict[str, Json]:
    value_type: type = type(value)
    return {key: _as_json(getattr(value, name)) for name, key in _names(value_type)}


def _as_inner(value: object) -> dict[str, Json]:
    """Without what says nothing: an entry from before a field was added is the same as one that leaves it open."""
    value_type: type = type(value)
    open_fields = _open(value_type)
    return {key: item for key, item in _as_object(value).items() if item is not None or key not in open_fields}


@cache
def _open(body_type: type) -> frozenset[str]:
    """JSON names of what says nothing where it is None; of a threshold of spam, None says never."""
    defaults = {item.name: item.default for item in fields(body_type)}
    return frozenset(key for name, key in _names(body_type) if defaults[name] is None)


@cache
def _names(body_type: type) -> tuple[tuple[str, str], ...]:
    """Of the attributes, with their JSON names: what would be a word of Python has an underscore behind."""
    return tuple((item.name, item.name.rstrip("_")) for item in fields(body_type))


@cache
def _reader(wanted: object) -> Callable[[object], object]:
    """Made once for each type: a plan of five hundred domains reads thousands of bodies."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple:
        return _tuple_reader(_reader(arguments[0]))
    if origin is dict:
        return _plain_reader(dict)
    if origin in (types.UnionType, typing.Union):
        read = _reader(arguments[0])
        return lambda value: None if value is None else read(value)
    if isinstance(wanted, type):
        return _object_reader(wanted) if is_dataclass(wanted) else _plain_reader(wanted)
    raise TypeError(f"{wanted} is no type of a field")


def _tuple_reader(read: Callable[[object], object]) -> Callable[[object], object]:
    def read_all(value: object) -> object:
        if not isinstance(value, list | tuple):
            raise TypeError(f"{value!r} is no list")
        return tuple([read(item) for item in value])

    return read_all


def _object_reader(wanted: type) -> Callable[[object], object]:
    hints = typing.get_type_hints(wanted)
    attributes = {key: name for name, key in _names(wanted)}
    readers = {key: _reader(hints[name]) for key, name in attributes.items()}

    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is no object")
        unknown = value.keys() - readers.keys()
        if unknown:
            raise ValueError(f"unknown {', '.join(sorted(unknown))}")
        # What a state from before a field was added lacks has its default, or is a TypeError.
        return wanted(**{attributes[key]: readers[key](item) for key, item in value.items()})

    return read


def _plain_reader(wanted: type) -> Callable[[object], object]:
    def read(value: object) -> object:
        if wanted is float and type(value) is int:  # a database may keep a number without its point
            return float(value)
        if not isinstance(value, wanted):
            raise TypeError(f"{value!r} is no {wanted}")
        return value

    return read
