"""The scalar types of the spec: durations, sizes, addresses, names, endpoints, secrets.

Each takes YAML text and gives the value the rest of the program works with; a ValueError's text is what the user reads.
"""

import ipaddress
import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, SecretStr, WithJsonSchema

from mailstack.model.address import domain_key, parse_address
from mailstack.model.errors import Invalid
from mailstack.model.password import scheme_of, weakness_of
from mailstack.model.rate import Rate
from mailstack.spec.faults import printable
from mailstack.spec.secrets import is_reference

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d|w)")
_DURATION_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MAX_DURATION_S = 10 * 366 * 86_400

_RATE = re.compile(r"([1-9][0-9]{0,6})/([mhd])")
_RATE_IN_WORDS = re.compile(r"([1-9][0-9]{0,6}) ?(?:/|per) ?([mhd])[a-z]*", re.IGNORECASE)

_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB|TiB)")
_SIZE_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DECIMAL_SIZE = re.compile(r"([0-9]{1,12}) ?([KMGT])i?[bB]?", re.IGNORECASE)
_MAX_SIZE_BYTES = 1 << 60

# RFC 5322 §3.2.3: atext, with the UTF-8 of RFC 6532 §3.2; RFC 5321 §4.1.2: Dot-string = Atom *("." Atom).
_DOT_STRING = re.compile(r"[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+(?:\.[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+)*")
_PLAIN_ADDRESS = re.compile(r"(?=.{1,64}@)([a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@([a-z0-9.-]+)")
MAX_SOCKET_PATH = 90  # Linux takes 107, and a socket is made under a longer name
MAX_ADDRESS_OCTETS = 254  # RFC 5321 §4.5.3.1.3, eid 1690: a path has 256 octets with its angle brackets

_NAME_SERVER = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?")
DNS_PORT = 53

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PYTHON_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
MAX_SELECTOR = 63
SHORTEST_SIGNATURE = timedelta(days=1)
_SEPARATORS = "+-_=#~"


def parse_duration(value: object) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("not a duration (a whole number and s, m, h, d or w: 30s, 15m, 6h, 90d)")
    seconds = int(found[1]) * _DURATION_UNITS[found[2]]
    if seconds > _MAX_DURATION_S:
        raise ValueError("a duration has at most 10 years")
    return timedelta(seconds=seconds)


def parse_rate(value: object) -> Rate:
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"not a rate (a whole number, a slash and m, h or d: 20/m, 1000/h){_meant_rate(value)}")
    return Rate(int(found[1]), found[2])


def _meant_rate(value: object) -> str:
    found = _RATE_IN_WORDS.fullmatch(value) if isinstance(value, str) else None
    return f"; did you mean {found[1]}/{found[2].lower()}?" if found else ""


def check_max_age(duration: timedelta) -> timedelta:
    # RFC 8461 §3.2: max_age is at most 31557600 seconds.
    if not 0 < duration.total_seconds() <= 31_557_600:
        raise ValueError("a policy is remembered for 1s to 52w")
    return duration


def check_rotation(duration: timedelta) -> timedelta:
    # Rotations that overtake each other would fill the zone with records of keys that still must be found.
    if duration < timedelta(days=7):
        raise ValueError("a key signs for at least 7d")
    return duration


def check_signature_life(duration: timedelta) -> timedelta:
    # RFC 6376 §3.5: clocks differ, and mail waits on its way.
    if duration < SHORTEST_SIGNATURE:
        raise ValueError("a signature holds for at least 1d")
    return duration


def parse_selector(text: str) -> str:
    # RFC 6376 §3.1: selector = sub-domain *( "." sub-domain ); DNS compares without case.
    if len(text) > MAX_SELECTOR or not _SELECTOR.fullmatch(text):
        raise ValueError(f"not a selector (letters, digits and hyphens, dots between; up to {MAX_SELECTOR})")
    return text.lower()


def parse_size(value: object) -> int:
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"not a size (a whole number and B, KiB, MiB, GiB or TiB: 50MiB, 5GiB){_meant_size(value)}")
    size_bytes = int(found[1]) * _SIZE_UNITS[found[2]]
    if size_bytes > _MAX_SIZE_BYTES:
        raise ValueError("a size has at most 1048576TiB")
    return size_bytes


def size_text(size_bytes: int) -> str:
    """As parse_size reads it, in the largest unit that fits."""
    units = (unit for unit in reversed(_SIZE_UNITS.items()) if size_bytes and not size_bytes % unit[1])
    name, unit_bytes = next(units, ("B", 1))
    return f"{size_bytes // unit_bytes}{name}"


def _meant_size(value: object) -> str:
    found = _DECIMAL_SIZE.fullmatch(value) if isinstance(value, str) else None
    return f"; did you mean {found[1]}{found[2].upper()}iB?" if found else ""


@lru_cache(maxsize=1 << 12)
def parse_domain(text: str) -> str:
    """A fully qualified domain name as an A-label, lower-case."""
    try:
        name = domain_key(text)
    except Invalid:
        raise ValueError("not a domain name (letters, digits and hyphens between dots)") from None
    # RFC 5321 §2.3.5: only resolvable, fully-qualified domain names are permitted.
    if "." not in name or name.startswith("[") or name.rpartition(".")[2].isdigit():
        raise ValueError("not a fully qualified domain name (such as mail.example.com)")
    return name


def parse_host_name(text: str) -> str:
    """As parse_domain, of a host."""
    name = parse_domain(text)
    # RFC 5321 §4.1.2: sub-domain = Let-dig [Ldh-str]. No authority certifies another, and no MX may point to it.
    if "_" in name:
        raise ValueError("not the name of a host (letters, digits and hyphens between dots, no underscore)")
    return name


# Asked by the model, and again by what compares addresses with each other.
@lru_cache(maxsize=1 << 16)
def parse_address_key(text: str) -> str:
    plain = _PLAIN_ADDRESS.fullmatch(text)
    if plain and len(text) <= MAX_ADDRESS_OCTETS:
        # Nearly every address: nothing to fold, and nothing that the longer way would find but a bad domain.
        try:
            return f"{plain[1]}@{parse_domain(plain[2])}"
        except ValueError:  # said below, in words that fit an address
            pass
    try:
        address = parse_address(text)
    except Invalid as fault:
        raise ValueError(f"not a mail address: {printable(fault.detail)}") from None
    if not _DOT_STRING.fullmatch(address.local_part):
        raise ValueError("not a mail address: letters, digits, dots and !#$%&'*+-/=?^_`{|}~ come before the @")
    parse_domain(address.domain)
    if len(address.key.encode()) > MAX_ADDRESS_OCTETS:
        raise ValueError(f"not a mail address: over {MAX_ADDRESS_OCTETS} octets")
    return address.key


def parse_moved(text: str) -> str:
    return parse_address_key(text) if "@" in text else parse_domain(text)


def parse_names_or_all(value: object) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError("true, false or a list of accounts and domains is needed here")
    return tuple(parse_moved(str(name)) for name in value)


def parse_addresses(value: object) -> object:
    """One address stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def parse_ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("not an IP address (such as 203.0.113.10 or 2001:db8::1)") from None
    if address.is_unspecified or address.is_multicast or (address.version == 6 and address.scope_id):
        raise ValueError("not the address of one machine")
    if address.version == 6 and address.ipv4_mapped:
        raise ValueError(f"an IPv4 address is written as it is: {address.ipv4_mapped}")
    return str(address)


def parse_network(text: str) -> str:
    """In prefix form: `203.0.113.10` is 203.0.113.10/32."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as fault:
        if "host bits" in str(fault):
            meant = ipaddress.ip_network(text, strict=False)
            raise ValueError(f"not a network: its address goes on behind the prefix; did you mean {meant}?") from None
        raise ValueError("not an address or network (such as 203.0.113.10, 10.1.0.0/16 or 2001:db8::/32)") from None


def parse_proxy_network(text: str) -> str:
    # Whoever is believed may claim any address: that must not be half the Internet by a slip.
    return _narrow(parse_network(text), "proxies that are believed whom they connect for")


def parse_peer_network(text: str) -> str:
    return _narrow(parse_network(text), "machines that are ours, whose mail is not checked")


def _narrow(network: str, of: str) -> str:
    # fc00::/7 and 10.0.0.0/8 are the widest private networks.
    least = 7 if ":" in network else 8
    if ipaddress.ip_network(network).prefixlen < least:
        raise ValueError(f"too wide for {of} (at least /{least})")
    return network


def parse_endpoint(value: object) -> str:
    """`:port`, `host:port` or `[v6]:port`, the host an address, normalised."""
    wanted = 'an endpoint is ":25", "203.0.113.10:25" or "[2001:db8::1]:25"'
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'{wanted}; did you mean ":{value}"?')
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65_535:
        raise ValueError(f"{wanted}, with a port from 1 to 65535")
    if not host:
        return f":{int(port)}"
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host[1:-1] if is_bracketed else host)
    except ValueError:
        raise ValueError(f"{wanted}; a name is not possible") from None
    if (address.version == 6) != is_bracketed:
        raise ValueError(f"{wanted}: brackets are for IPv6")
    return f"[{address}]:{int(port)}" if is_bracketed else f"{address}:{int(port)}"


def check_near(endpoint: str) -> str:
    host = endpoint.rpartition(":")[0].strip("[]")
    if host and ipaddress.ip_address(host).is_global:
        raise ValueError(f"{host} is an address that everybody reaches; use 127.0.0.1 or one of a network of your own")
    return endpoint


def parse_nameserver(text: str) -> str:
    """`host`, `host:port` or `[v6]:port`, normalised; the host a name or an address."""
    found = _NAME_SERVER.fullmatch(text)
    try:
        host = parse_relay_host(text if found is None else found[1] or found[2])
        port = int(found[3] or DNS_PORT) if found is not None else DNS_PORT
    except ValueError:
        port = 0
    if not 1 <= port <= 65_535:
        raise ValueError('not a name server (such as ns1.example.com, 203.0.113.53, "127.0.0.1:5353" or "[::1]:5353")')
    host = f"[{host}]" if ":" in host else host
    return host if port == DNS_PORT else f"{host}:{port}"


def parse_resolver(text: str) -> str:
    """As parse_nameserver, but an address: to look up a resolver's name takes a resolver."""
    found = _NAME_SERVER.fullmatch(text)
    try:
        ipaddress.ip_address(text if found is None else found[1] or found[2])
        return parse_nameserver(text)
    except ValueError:
        raise ValueError('not the address of a resolver (such as 127.0.0.1, 192.0.2.53 or "[::1]:5353")') from None


def parse_socket_path(text: str) -> str:
    """Absolute, without blanks."""
    if not text.startswith("/") or not text.isascii() or not text.isprintable() or " " in text or text.endswith("/"):
        raise ValueError(
            "not the whole path of a socket (such as /run/dovecot/lmtp or /run/clamav/clamd.ctl, without blanks)"
        )
    if len(text) > MAX_SOCKET_PATH:
        raise ValueError(f"too long for a socket (up to {MAX_SOCKET_PATH} characters)")
    return text


def parse_relay_host(text: str) -> str:
    """A host name, of one label too (a container's), or an address."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        name = domain_key(text)
    except Invalid:
        name = "["
    if name.startswith("["):
        raise ValueError("not a host name or IP address")
    return name


def parse_separators(text: str) -> str:
    if len(set(text)) != len(text) or not set(text) <= set(_SEPARATORS):
        raise ValueError(f'not a set of separators (each of {_SEPARATORS} at most once; "" for none)')
    return text


def parse_route_pattern(text: str) -> str:
    """A glob over domains, lower-case A-labels; `*` stands for any number of characters, dots included."""
    try:
        # The star is no letter of a domain name; "x" is, and keeps each label's shape.
        domain_key(text.replace("*", "x") if text.isascii() else text)
    except Invalid:
        raise ValueError('not a domain or pattern (such as example.com, "*.example.com" or "*")') from None
    return text.rstrip(".").lower() if text.isascii() else domain_key(text)


def parse_route_sender(text: str) -> str:
    """As parse_route_pattern, or an address key."""
    return parse_address_key(text) if "@" in text else parse_route_pattern(text)


def parse_shown(text: str) -> str:
    # Not isprintable: names in some scripts need joiners. A NUL is what no PostgreSQL keeps in a text.
    if _CONTROL.search(text):
        raise ValueError("a name is one line, without control characters")
    return text


def parse_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("not a name (up to 63 letters, digits, dots, hyphens and underscores)")
    return text


def parse_python_class(text: str) -> str:
    if not _PYTHON_CLASS.fullmatch(text):
        raise ValueError("not a Python class with its module (such as octodns_bind.Rfc2136Provider)")
    return text


def parse_path(value: object) -> Path:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("not a path")
    return Path(value)


def parse_acme_directory(text: str) -> str:
    if text in ("letsencrypt", "letsencrypt-staging"):
        return text
    # RFC 8555 §6.1: https only; what is asked there is signed, but the answers are not.
    if not re.fullmatch(r"https://[^/?#\s@]+(?:/[^\s#]*)?", text):
        raise ValueError("not an authority (letsencrypt, letsencrypt-staging or an https:// URL)")
    return text


def check_reference(secret: SecretStr) -> SecretStr:
    if not is_reference(secret.get_secret_value()):
        raise ValueError("a secret in plain text; keep it outside and write env/NAME or file/PATH")
    return secret


def refuse_empty(value: object) -> object:
    """`password:` with nothing behind it is a slip that would lock somebody out."""
    if value is None or value == "":
        raise ValueError("empty; leave the key out for an account without a password")
    return value


def check_password(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if is_reference(text):
        return secret
    if scheme_of(text) is None:
        raise ValueError(
            "neither a hash nor a reference: a password in plain text does not belong in this file"
            " (write env/NAME, file/PATH, or a hash: $argon2id$…, $2b$…, {SHA512-CRYPT}$6$…, SCRAM-SHA-256$…;"
            " `openssl passwd -6` makes one)"
        )
    weakness = weakness_of(text)
    if weakness:
        raise ValueError(f"{weakness} (make a new hash, or write env/NAME or file/PATH)")
    return secret


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,9}(s|m|h|d|w)$", "examples": ["30s", "15m", "6h", "90d"]}),
]
RateValue = Annotated[
    Rate,
    PlainValidator(parse_rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,6}/(m|h|d)$", "examples": ["20/m", "1000/h"]}),
]
RotateEvery = Annotated[Duration, AfterValidator(check_rotation)]
ExpireAfter = Annotated[Duration, AfterValidator(check_signature_life)]
Selector = Annotated[str, AfterValidator(parse_selector)]
MaxAge = Annotated[Duration, AfterValidator(check_max_age)]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,12}(B|KiB|MiB|GiB|TiB)$", "examples": ["50MiB", "5GiB"]}),
]
DomainName = Annotated[str, AfterValidator(parse_domain)]
HostName = Annotated[str, AfterValidator(parse_host_name)]
AddressKey = Annotated[str, AfterValidator(parse_address_key)]
"""model.address.Address.key: case-folded, domain as A-label."""
MovedName = Annotated[str, AfterValidator(parse_moved)]
"""An AddressKey or a DomainName."""
NamesOrAll = Annotated[
    bool | tuple[str, ...],
    PlainValidator(parse_names_or_all),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""Accounts and domains: all (True), none, or those named."""
AddressKeys = Annotated[
    tuple[AddressKey, ...],
    BeforeValidator(parse_addresses),
    Field(min_length=1),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    ),
]
IpAddress = Annotated[str, AfterValidator(parse_ip)]
IpAddresses = Annotated[
    tuple[IpAddress, ...],
    BeforeValidator(parse_addresses),
    Field(min_length=1),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    ),
]
IpNetwork = Annotated[str, AfterValidator(parse_network), Field(examples=["203.0.113.10", "10.1.0.0/16"])]
ProxyNetwork = Annotated[str, AfterValidator(parse_proxy_network), Field(examples=["192.0.2.10", "10.0.0.0/8"])]
PeerNetwork = Annotated[str, AfterValidator(parse_peer_network), Field(examples=["203.0.113.10", "10.1.0.0/16"])]
Endpoint = Annotated[
    str,
    BeforeValidator(parse_endpoint),
    WithJsonSchema({"type": "string", "pattern": "^(.*):[0-9]{1,5}$", "examples": [":25", "203.0.113.10:25"]}),
]
NearEndpoint = Annotated[Endpoint, AfterValidator(check_near)]
"""Of what is not for everybody."""
Name = Annotated[str, AfterValidator(parse_name)]
"""Of a relay or a provider, to refer to it by."""
PythonClass = Annotated[str, AfterValidator(parse_python_class), Field(examples=["octodns_bind.Rfc2136Provider"])]
Shown = Annotated[str, AfterValidator(parse_shown)]
"""For people to read."""
FilePath = Annotated[Path, BeforeValidator(parse_path), WithJsonSchema({"type": "string", "minLength": 1})]
AcmeDirectory = Annotated[
    str,
    AfterValidator(parse_acme_directory),
    Field(examples=["letsencrypt", "letsencrypt-staging", "https://acme.example.com/directory"]),
]
SocketPath = Annotated[
    str,
    AfterValidator(parse_socket_path),
    Field(json_schema_extra={"pattern": "^/"}, examples=["/run/dovecot/lmtp"]),
]
RelayHost = Annotated[str, AfterValidator(parse_relay_host)]
ResolverAddress = Annotated[str, AfterValidator(parse_resolver), Field(examples=["127.0.0.1", "[::1]:5353"])]
NameServer = Annotated[str, AfterValidator(parse_nameserver), Field(examples=["ns1.example.com", "127.0.0.1:5353"])]
Separators = Annotated[str, AfterValidator(parse_separators)]
RoutePattern = Annotated[str, AfterValidator(parse_route_pattern)]
RouteSender = Annotated[
    str, AfterValidator(parse_route_sender), Field(examples=["example.com", "*.example.com", "news@example.com"])
]
SecretReference = Annotated[
    SecretStr,
    AfterValidator(check_reference),
    WithJsonSchema(
        {"type": "string", "pattern": "^(env|file)/.", "examples": ["env/RELAY_PASSWORD", "file/secrets/relay"]}
    ),
]
Password = Annotated[
    SecretStr | None,
    BeforeValidator(refuse_empty),
    AfterValidator(check_password),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^((env|file)/.|\$argon2id\$|\$2[aby]\$|(\{SHA512-CRYPT\})?\$6\$|SCRAM-SHA-256\$)",
            "examples": ["env/ALICE_PASSWORD", "file/secrets/alice.hash"],
        }
    ),
]
"""None only where the key is left out, as the default."""
