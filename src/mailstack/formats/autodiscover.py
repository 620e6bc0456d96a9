"""Autodiscover, as Outlook asks for the settings of an address: plain old XML (MS-OXDSCLI), question and answer.

Not what Exchange and ActiveSync have: who asks for their schemas is told that there are none.
"""

from xml.etree.ElementTree import Element, SubElement, tostring
from xml.parsers.expat import ExpatError, ParserCreate

from mailstack.model.address import Address, parse_address
from mailstack.model.client_settings import ClientSettings
from mailstack.model.errors import Invalid, Unsupported

MOST_REQUEST_OCTETS = 8 << 10
REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

# MS-OXDSCLI §2.2.4.1.1.1: codes of an Error.
INVALID_REQUEST = 600
NO_SUCH_PROVIDER = 601
NO_SUCH_ADDRESS = 500

_ADDRESS = f"{REQUEST} EMailAddress"
_SCHEMA = f"{REQUEST} AcceptableResponseSchema"


def read_autodiscover(body: bytes) -> Address:
    """Whose settings are asked for. Raises Invalid, and Unsupported for the schemas of other services."""
    found: dict[str, str] = {}
    path: list[str] = []

    def begin(name: str, _attributes: object) -> None:
        path.append(name)

    def text(piece: str) -> None:
        if path[-1] in (_ADDRESS, _SCHEMA):
            found[path[-1]] = found.get(path[-1], "") + piece

    def end(_name: str) -> None:
        path.pop()

    parser = ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = begin, text, end
    # Without a DTD there are no entities, neither ones that grow nor ones from elsewhere.
    parser.StartDoctypeDeclHandler = _refuse_dtd
    try:
        parser.Parse(body[:MOST_REQUEST_OCTETS], True)
    except (ExpatError, ValueError, LookupError):
        raise Invalid("not an Autodiscover request") from None
    if OUTLOOK not in found.get(_SCHEMA, OUTLOOK):
        raise Unsupported("a schema of another service")
    return parse_address(found.get(_ADDRESS, "").strip())


def _refuse_dtd(*_: object) -> None:
    raise Invalid("a document type in an Autodiscover request")


def write_autodiscover(settings: ClientSettings, address: Address) -> bytes:
    root = Element("Autodiscover", xmlns=RESPONSE)
    response = SubElement(root, "Response", xmlns=OUTLOOK)
    account = SubElement(response, "Account")
    _texts(account, AccountType="email", Action="settings")
    login = f"{address.local_part}@{settings.login_domain}"
    _protocol(account, "IMAP", settings, (("imaps", "SSL"), ("imap", "TLS")), login)
    _protocol(account, "SMTP", settings, (("submissions", "SSL"), ("submission", "TLS")), login)
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True))


def write_autodiscover_error(code: int, message: str) -> bytes:
    root = Element("Autodiscover", xmlns=RESPONSE)
    error = SubElement(SubElement(root, "Response"), "Error")
    _texts(error, ErrorCode=str(code), Message=message)
    SubElement(error, "DebugData")
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True))


def _protocol(
    account: Element, kind: str, settings: ClientSettings, listeners: tuple[tuple[str, str], ...], login: str
) -> None:
    """The first of the listeners that is there: Outlook takes one of each kind."""
    for listener, encryption in listeners:
        port = settings.ports.get(listener)
        if port is not None:
            protocol = SubElement(account, "Protocol")
            _texts(protocol, Type=kind, Server=settings.hostname, Port=str(port), LoginName=login)
            # SPA is NTLM. `SSL` is for programs that do not know `Encryption`.
            _texts(protocol, DomainRequired="off", SPA="off", SSL="on", Encryption=encryption, AuthRequired="on")
            if kind == "SMTP":
                _texts(protocol, UsePOPAuth="on", SMTPLast="off")
            return


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text
