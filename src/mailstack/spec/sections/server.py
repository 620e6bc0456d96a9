"""`server`, `tls`, `reconcile`: the machine, and how it follows its spec."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mailstack.spec.sections.acme import Acme
from mailstack.spec.sections.section import OrElse, Section
from mailstack.spec.values import (
    Duration,
    Endpoint,
    FilePath,
    HostName,
    IpAddress,
    IpNetwork,
    Name,
    NamesOrAll,
    NearEndpoint,
    ProxyNetwork,
    SecretReference,
    Size,
    SocketPath,
    parse_ip,
)

MAX_WORKERS = 256
AUTO_WORKERS = 0
BACKUP_MX = "backup-mx"
NOT_OF_BACKUPS = ("lmtp", "lmtp_sockets", "submission", "submissions", "imap", "imaps", "managesieve")
"""Listeners for mailboxes and logins, of which a backup mail exchanger has none."""


def _workers(value: object) -> object:
    return AUTO_WORKERS if value == "auto" else _whole_number(value)


def _whole_number(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_WORKERS:
        raise ValueError(f"not a number of processes (auto, or 1 to {MAX_WORKERS})")
    return value


Workers = Annotated[
    int,
    BeforeValidator(_workers),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": MAX_WORKERS}]}),
]


def parse_socket_mode(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3}", value):
        raise ValueError('not the permissions of a socket (such as "0660", in quotes: who writes to it may connect)')
    return value


class ListenSocket(Section):
    """A socket of this machine. It is made anew at each start, and gone with the server."""

    path: SocketPath = Field(description="Where; its folder must be there, and writable for the user of mailstack.")
    mode: Annotated[str, BeforeValidator(parse_socket_mode)] = Field(
        default="0660", description="Its permissions, in quotes: whoever may write to it may connect."
    )
    owner: Name | None = Field(
        default=None, description="A user, which only a server that starts as root can give it. Default: mailstack's."
    )
    group: Name | None = Field(
        default=None,
        description="A group, such as that of the server that connects. Without root, one that the user of mailstack"
        " is in. Default: mailstack's own.",
    )

    def __str__(self) -> str:
        owned = [f"{key}={name}" for key, name in (("owner", self.owner), ("group", self.group)) if name]
        return " ".join((self.path, f"mode={self.mode}", *owned))


class Listeners(Section):
    """Each service left out listens on its standard port; an empty list switches it off."""

    smtp: tuple[Endpoint, ...] = Field(default=(":25",), description="Mail from other servers; STARTTLS is offered.")
    lmtp: tuple[Endpoint, ...] = Field(
        default=(),
        description="Mail from another server on this machine that has checked it already, over LMTP (RFC 2033): each"
        " recipient has a reply of its own, and SPF, DKIM, DMARC and blocklists are that server's business. Only"
        " clients on loopback addresses are let in. Off by default.",
        examples=[["127.0.0.1:24"]],
    )
    lmtp_sockets: tuple[ListenSocket, ...] = Field(
        default=(),
        description="The same over unix sockets: whoever may write to one is let in. Off by default.",
        examples=[[{"path": "/run/mailstack/lmtp", "group": "postfix"}]],
    )
    submission: tuple[Endpoint, ...] = Field(
        default=(":587",), description="Mail from the accounts' mail clients; login only after STARTTLS (RFC 6409)."
    )
    submissions: tuple[Endpoint, ...] = Field(
        default=(":465",), description="Mail from the accounts' mail clients, TLS from the first byte (RFC 8314)."
    )
    imap: tuple[Endpoint, ...] = Field(default=(":143",), description="Mailboxes; login only after STARTTLS.")
    imaps: tuple[Endpoint, ...] = Field(default=(":993",), description="Mailboxes, TLS from the first byte (RFC 8314).")
    managesieve: tuple[Endpoint, ...] = Field(
        default=(":4190",),
        description="Filters that accounts keep for themselves (ManageSieve, RFC 5804); login only after STARTTLS.",
    )
    http: tuple[Endpoint, ...] = Field(
        default=(":80",),
        description="Proofs for certificate authorities (RFC 8555) and health; everything else is sent on to https.",
    )
    https: tuple[Endpoint, ...] = Field(
        default=(":443",), description="MTA-STS policies (RFC 8461) and health, over TLS with the host's certificates."
    )
    metrics: tuple[NearEndpoint, ...] = Field(
        default=(),
        description="Figures for Prometheus at /metrics, and health, without TLS and without a password: for this"
        " machine and the networks around it. An address that everybody reaches is refused, and so is whoever asks from"
        " one. Off by default.",
        examples=[["127.0.0.1:9090"]],
    )


class Limits(Section):
    message_size: Size = Field(
        default=50 << 20,
        ge=64 << 10,  # RFC 5321 §4.5.3.1.7: at least 64K octets
        le=1 << 30,
        description="The largest message that is accepted, from strangers and from accounts. 64KiB to 1GiB.",
        json_schema_extra={"default": "50MiB"},
    )
    recipients: int = Field(default=100, ge=1, le=10_000, description="Recipients of one message.")
    connections_per_ip: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="Connections that one client address (of IPv6: one /64) may hold at a time, to each of smtp,"
        " submission, submissions, imap with imaps, managesieve, and http with https, on all nodes together: what a"
        " burst gets from several nodes at once beyond that is told to end within a second. Once somebody has logged"
        " in, a connection counts for the account alone, so that a household or an office behind one address, or a"
        " webmail, needs no larger number.",
    )
    connections_per_account: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="Connections that one account may hold at a time once logged in, on all nodes together: to IMAP,"
        " as many to submission, to managesieve, and of JMAP's streams of events and WebSockets. What a burst gets from"
        " several nodes at once beyond that is told to end within a second. A mail program has up to 5 or 10 of IMAP, a"
        " telephone 1 to 3.",
    )


def check_ban_length(length: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= length <= timedelta(days=365):
        raise ValueError("a ban lasts 1m to 365d")
    return length


BanLength = Annotated[Duration, AfterValidator(check_ban_length)]


class Bans(Section):
    """Whoever tries passwords, tries out recipients or abuses SMTP or IMAP is turned away for a while: an IPv4 address,
    or the /64 of an IPv6 one. Mail servers that speak before the greeting are sent away, and that is such an abuse.
    `mailstack ban` lists, adds and lifts bans."""

    after: int = Field(
        default=30,
        ge=5,
        le=10_000,
        description="Points at which an address is banned: a failed login is 2, an unknown recipient 1, abuse of the"
        " protocol 5. Half of them are forgiven every 15 minutes. Each node counts for itself; a ban holds for all of"
        " them.",
    )
    for_: BanLength = Field(
        default=timedelta(hours=1),
        alias="for",
        description="How long the first ban lasts. Each further one within 30 days of the last lasts twice as long.",
        json_schema_extra={"default": "1h"},
    )
    up_to: BanLength = Field(
        default=timedelta(days=7), description="The longest ban.", json_schema_extra={"default": "7d"}
    )
    never: tuple[IpNetwork, ...] = Field(
        default=(),
        description="Addresses and networks that are never banned, such as an office's. Nor are this machine,"
        " `server.proxy_from` and `receiving.trusted_peers`.",
    )


def parse_bans(value: object) -> object:
    if value is False or value in ("off", "no", "none"):
        raise ValueError("null is what bans nobody")
    return value


def check_bans(bans: Bans | None) -> Bans | None:
    if bans is not None and bans.up_to < bans.for_:
        raise ValueError("the longest ban (`up_to`, 7d where it is not given) is shorter than the first (`for`)")
    return bans


BansOrNone = Annotated[Bans | None, BeforeValidator(parse_bans), AfterValidator(check_bans)]


def parse_server_address(value: object) -> object:
    """An address by itself stands for one without a name of its own."""
    return {"address": parse_ip(value)} if isinstance(value, str) else value


class ServerAddress(Section):
    """One that mail leaves from, where the machine has it."""

    address: IpAddress = Field(description="IPv4 or IPv6.")
    name: HostName | None = Field(
        default=None,
        description="The name that mail leaving from here is introduced with (EHLO). Default: server.hostname. Where a"
        " zone of dns.zones holds it, it is published with this address; the address's PTR record should name it.",
    )


AddressOrNamed = Annotated[
    ServerAddress,
    BeforeValidator(parse_server_address),
    OrElse({"type": "string", "examples": ["203.0.113.10", "2001:db8::1"]}),
]


class Server(Section):
    hostname: HostName = Field(
        description="The server's own fully qualified name: what it greets with, what MX records point to, and what its"
        " certificate is good for. The address's PTR record should name it."
    )
    addresses: tuple[AddressOrNamed, ...] = Field(
        default=(),
        description="The public addresses, published as A and AAAA of the host name. None: those are left alone."
        " Each as it is, or with a name of its own: {address: 203.0.113.11, name: out.example.com}. Mail leaves from"
        " those that the machine has: of several of one family, each mail from one that it keeps to at every attempt."
        " Where it has none of them, as behind NAT, the system chooses.",
        examples=[["203.0.113.10", {"address": "2001:db8::1", "name": "out6.example.com"}]],
    )
    listeners: Listeners = Field(
        default=Listeners(),
        description="Where each service listens. Default: the standard ports on every address of the machine.",
    )
    proxy_from: tuple[ProxyNetwork, ...] = Field(
        default=(),
        description="Addresses and networks of load balancers that connect for clients and say so by the PROXY"
        " protocol, version 1 or 2, on every listener but that of LMTP, before TLS. They must say it, and are believed,"
        " but for clients on this machine, whom no balancer elsewhere has; nobody else is believed."
        " Limits, logs and SPF then see the client's address.",
    )
    push_to: tuple[IpNetwork, ...] = Field(
        default=(),
        description="Addresses and networks that JMAP's push notifications may go to beside those of the Internet, such"
        " as a push service of your own, with TLS or without. Who may log in chooses where they go, so this"
        " machine and private networks are not asked unless they stand here. A sandbox pushes to its own machine"
        " alone.",
        examples=[["127.0.0.1", "10.1.0.0/16"]],
    )
    workers: Workers = Field(
        default=AUTO_WORKERS,
        description="Processes that serve; auto is one for each core.",
        json_schema_extra={"default": "auto"},
    )
    limits: Limits = Field(default=Limits(), description="What one client may ask for.")
    bans: BansOrNone = Field(default=Bans(), description="Who is turned away for what they did before; null: nobody.")
    role: Literal["primary", "backup-mx"] = Field(
        default="primary",
        description="What this machine is for its domains. A backup-mx takes mail for the recipients that this spec"
        " knows, keeps it in its queue and hands it over to the domains' better mail exchangers. It has no mailboxes to"
        " read and takes no logins: of the listeners, smtp, http and https open. It signs nothing and publishes no DNS:"
        " the primary's spec does, with this machine among its `backups` and in its receiving.trusted_peers.",
    )
    backups: tuple[HostName, ...] = Field(
        default=(),
        max_length=10,
        description="Host names of backup mail exchangers, published in the domains' MX records behind this one and"
        " allowed by their MTA-STS policies. Each runs mailstack with the same domains, accounts, aliases and"
        " lists and `role: backup-mx`.",
        examples=[["mx2.example.net"]],
    )


class CertificateFiles(Section):
    certificate: FilePath = Field(description="PEM chain, the server's own certificate first. Relative to this file.")
    key: SecretReference = Field(description="The private key, PEM, by reference: file/tls/mail.key or env/NAME.")


class Tls(Section):
    issuer: Literal["self-signed", "files", "acme"] = Field(
        default="self-signed",
        description="Where certificates come from: made by mailstack, read from `files`, or ordered from an authority"
        " and renewed in time (`acme`).",
    )
    acme: Acme = Field(default=Acme(), description="The authority for `issuer: acme`; Let's Encrypt by default.")
    files: tuple[CertificateFiles, ...] = Field(
        default=(),
        description="Certificates for `issuer: files`. With `dane`, one with another key waits until the key's TLSA"
        " record is known.",
    )
    dane: bool = Field(
        default=False,
        description="Publishes TLSA records of the host's keys, by which senders check its certificate (RFC 7672). It"
        " works only in zones that are signed with DNSSEC.",
    )


def check_drift_interval(interval: timedelta) -> timedelta:
    # Providers count requests, and a look takes a process of its own.
    if interval < timedelta(seconds=15):
        raise ValueError("too often (at least 15s)")
    return interval


PLAN_ONLY = "plan-only"
AdminEdits = Literal["off", "propose", "write"]


class Reconcile(Section):
    on_change: Literal["apply", "plan-only"] = Field(
        default="apply",
        description="What `mailstack serve` does when the saved spec changes: applies it, or only plans it and says so,"
        " for `mailstack apply` to do it. With plan-only, what somebody changed in DNS is told and not put right, and"
        " what is due by the clock is done all the same.",
    )
    allow_destroy: NamesOrAll = Field(
        default=False,
        description="Accounts and domains that may be destroyed with the mail in them (which is kept for 30 days):"
        " none, all (true), or those named here. For `mailstack serve`, which nobody can give --allow-destroy. Other"
        " brakes are not released by it.",
    )
    admin_edits: AdminEdits = Field(
        default="propose",
        description="What administrators may do in a browser to this file and those it includes: see how the lines of a"
        " change would look, to take them from there (propose); have them written as well, where the user of mailstack"
        " may write (write); or neither (off). A sandbox never writes.",
    )
    drift_check: Annotated[Duration, AfterValidator(check_drift_interval)] | None = Field(
        default=timedelta(minutes=15),
        description="How often `mailstack serve` looks whether DNS is still as it was applied. What has changed is put"
        " right. At least 15s; null for never.",
        json_schema_extra={"default": "15m"},
    )
