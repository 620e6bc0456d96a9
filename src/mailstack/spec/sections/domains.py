"""`dns` and `domains`: whose mail is received here, and what is published about it."""

from datetime import timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailstack.spec.sections.section import Section
from mailstack.spec.sections.spam import SpamOrOff
from mailstack.spec.values import (
    AddressKey,
    DomainName,
    Duration,
    ExpireAfter,
    MaxAge,
    Name,
    NameServer,
    PythonClass,
    ResolverAddress,
    RotateEvery,
    SecretReference,
    Selector,
    Separators,
)

MANUAL_PROVIDER = "manual"
"""The provider of a zone whose records the plan prints for publishing by hand."""

DkimAlgorithm = Literal["rsa2048", "ed25519"]
DmarcPolicy = Literal["none", "quarantine", "reject"]
Word = TypeVar("Word", bound=str)


def _no_twins(words: tuple[Word, ...]) -> tuple[Word, ...]:
    for word in words:
        if words.count(word) > 1:
            raise ValueError(f"{word} is listed twice")
    return words


class GivenKey(Section):
    """A signing key that comes from elsewhere, such as the server before this one."""

    selector: Selector = Field(description="The name that its record has, or will have: SELECTOR._domainkey.DOMAIN.")
    algorithm: DkimAlgorithm = Field(description="rsa2048 takes RSA keys of 2048 to 4096 bits.")
    private_key: SecretReference = Field(description="PEM without a password, by reference: file/keys/mail.pem.")


class Dkim(Section):
    algorithms: Annotated[tuple[DkimAlgorithm, ...], AfterValidator(_no_twins)] = Field(
        default=("rsa2048", "ed25519"),
        min_length=1,
        description="A key and a signature each: RSA is checked everywhere (RFC 8301), Ed25519 is small (RFC 8463).",
    )
    rotate_every: RotateEvery | None = Field(
        default=None,
        description="How long a key signs before the next one takes over, such as 180d; at least 7d. The next one is"
        " published first and signs once it is seen in DNS; the record before it goes when no mail can need it any"
        " more. null: only when asked to (mailstack dkim rotate).",
    )
    expire_after: ExpireAfter | None = Field(
        default=None,
        description="How long a signature holds (x=), such as 7d; at least 1d, and longer than sending.lifetime, for"
        " mail may wait as long. It keeps others from sending signed mail again later, and mail that is forwarded or"
        " checked after that time from passing DKIM. null: for ever.",
    )
    keys: tuple[GivenKey, ...] = Field(
        default=(),
        description="Keys to sign with instead of ones made by mailstack, one for an algorithm. They are never rotated:"
        " give another selector and key, or take the entry out, and the next one takes over in good order.",
    )


class Spf(Section):
    include: tuple[DomainName, ...] = Field(
        default=(),
        # RFC 7208 §4.6.4: more than ten terms that look things up are a permanent error; our own `a` is one.
        max_length=9,
        description="Domains whose SPF records may send for this one too: newsletter services, relays. At most 9.",
    )
    all: Literal["-all", "~all", "?all"] = Field(
        default="-all",
        description="What becomes of mail from anywhere else: refused, suspicious, no statement (RFC 7208 §5.1).",
    )


class DmarcStages(Section):
    """How long `policy: auto` stays at each stage before the next, at least, from when its record is seen in DNS."""

    none: Duration = Field(
        default=timedelta(days=14),
        description="0d begins with the stage after it, for a domain that is there already.",
        json_schema_extra={"default": "14d"},
    )
    quarantine: Duration = Field(
        default=timedelta(days=30),
        description="0d goes from none to reject.",
        json_schema_extra={"default": "30d"},
    )


class Dmarc(Section):
    policy: Literal["none", "quarantine", "reject", "auto"] = Field(
        default="none",
        description="What receivers are asked to do with mail that fails SPF and DKIM alignment (RFC 9989 §4.7). auto:"
        " none, then quarantine, then reject, each after its time, if SPF and DKIM are seen in DNS and receivers report"
        " no failures; never back.",
    )
    stages: DmarcStages = Field(default=DmarcStages(), description="The times of `policy: auto`.")
    subdomains: DmarcPolicy | None = Field(
        default=None, description="The same for existing subdomains that publish nothing themselves. Default: policy."
    )
    nonexistent: DmarcPolicy | None = Field(
        default=None, description="The same for subdomains that do not exist. Default: as for subdomains."
    )
    testing: bool = Field(
        default=False, description="Asks receivers to report by the policy and not yet to act by it (t=y)."
    )
    strict: Annotated[tuple[Literal["dkim", "spf"], ...], AfterValidator(_no_twins)] = Field(
        default=(),
        description="What must be of this very domain, where otherwise its organizational domain is enough.",
    )
    reports_to: AddressKey | None = Field(default=None, description="Where aggregate reports are sent.")


class MtaSts(Section):
    mode: Literal["enforce", "testing", "none"] = Field(
        default="testing", description="Whether senders must refuse delivery without verified TLS (RFC 8461 §5)."
    )
    max_age: MaxAge = Field(
        default=timedelta(days=7),
        description="How long senders remember the policy. At most 52w.",
        json_schema_extra={"default": "7d"},
    )


class TlsRpt(Section):
    reports_to: AddressKey = Field(description="Where reports about failed TLS are sent (RFC 8460).")


class Domain(Section):
    """A domain whose mail is received here."""

    dkim: Dkim = Field(default=Dkim(), description="Signatures on what the accounts send.")
    spf: Spf = Field(default=Spf(), description="Who may send for the domain; this server always may.")
    dmarc: Dmarc = Field(default=Dmarc(), description="What receivers do with forgeries, and where they report them.")
    mta_sts: MtaSts | None = Field(
        default=None,
        description="Tells senders to insist on verified TLS: by a record, and by the policy that this server shows at"
        " https://mta-sts.DOMAIN, which its certificate must cover (RFC 8461). Default: nothing is told.",
    )
    tls_rpt: TlsRpt | None = Field(
        default=None, description="Asks senders for TLS reports. Default: nothing is published."
    )
    discovery: bool = Field(
        default=True,
        description="Lets mail programs find this server by an address alone: SRV records of the services that are"
        " there, and of those that are not (RFC 6186, RFC 8314, RFC 8620).",
    )
    autoconfig: bool = Field(
        default=False,
        description="Mail programs and phones set themselves up by an address alone: they ask for its settings at"
        " autoconfig.DOMAIN, autodiscover.DOMAIN and ua-auto-config.DOMAIN, names of this server in DNS and in a"
        " certificate of their own. Without it, the same pages are under server.hostname alone.",
    )
    catch_all: AddressKey | None = Field(
        default=None,
        description="Who gets mail to addresses of the domain that nobody owns. Default: such mail is refused.",
    )
    subaddress_separators: Separators = Field(
        default="+",
        description='Characters before a detail: alice+shop@ reaches alice@. "" for none (RFC 5233).',
    )
    alias_of: DomainName | None = Field(
        default=None,
        description="Another domain of this file: every address there is one here too, and this one has no accounts.",
    )
    spam: SpamOrOff | None = Field(
        default=None,
        description="What becomes of spam to its accounts: {junk_at: …, reject_at: …}, or off, so that nobody looks"
        " whether mail is spam. What it leaves out is as spam has it.",
    )


class Provider(BaseModel):
    """One octoDNS provider. All keys but `class` go to its constructor as they are, secrets by reference."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, hide_input_in_errors=True)

    class_: PythonClass = Field(
        alias="class", description="The provider's Python class, such as octodns_bind.Rfc2136Provider."
    )

    @property
    def settings(self) -> dict[str, object]:
        """What the class is given; texts that start with env/ or file/ are references still."""
        return {key: _as_yaml_gives_it(value) for key, value in (self.model_extra or {}).items()}


def _as_yaml_gives_it(value: object) -> object:
    """With lists for the tuples that the models are made of: octoDNS's classes look for lists."""
    if isinstance(value, dict):
        return {key: _as_yaml_gives_it(inner) for key, inner in value.items()}
    return [_as_yaml_gives_it(inner) for inner in value] if isinstance(value, tuple) else value


class Zone(Section):
    provider: str = Field(
        min_length=1,
        description="A name from dns.providers, or manual: the plan prints the records for publishing by hand.",
    )
    ttl: int = Field(default=3_600, ge=30, le=604_800, description="Seconds that resolvers may remember the records.")
    nameservers: tuple[NameServer, ...] = Field(
        default=(),
        max_length=13,
        description="Which servers are asked whether a record is live, as names or addresses, with a port if it is not"
        " 53. Default: those that the zone's NS records name.",
    )


class Dns(Section):
    resolvers: Annotated[tuple[ResolverAddress, ...], AfterValidator(_no_twins)] = Field(
        default=(),
        max_length=5,
        description="Addresses of the resolvers that this server asks: where mail goes, who sends it, what blocklists"
        " say, which servers a zone has; with a port if it is not 53. The next is asked where one does not answer."
        " Default: those of /etc/resolv.conf.",
    )
    validating: bool = Field(
        default=False,
        description="All of these resolvers check DNSSEC, and nobody can change their answers on the way here, as with"
        " an Unbound on this machine. Then mail goes to servers that have TLSA records under the certificates that"
        " those name alone (DANE, RFC 7672). Set wrongly, it lets whoever forges DNS choose the certificate.",
    )
    providers: dict[Name, Provider] = Field(
        default={}, description="By a name of your choice; each entry goes to octoDNS as it is, secrets by reference."
    )
    zones: dict[DomainName, Zone] = Field(
        default={}, description="The zones that hold the domains and the host name, and who publishes them."
    )
    caa: tuple[DomainName, ...] | None = Field(
        default=None,
        description="Which authorities may issue certificates for server.hostname, by the names that they have in CAA"
        " records (RFC 8659). Default: Let's Encrypt where certificates come from there, else no record; [] for none."
        " The one that certificates come from may issue to this server's own account alone (RFC 8657).",
    )
    no_mail: tuple[DomainName, ...] = Field(
        default=(),
        description="Names that neither get nor send mail, such as those of web sites and parked domains: a null MX"
        " (RFC 7505), an SPF record and a DMARC policy by which whatever claims to come from there is refused.",
    )
