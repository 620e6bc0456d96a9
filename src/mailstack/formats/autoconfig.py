"""The settings of a domain as Thunderbird and many others ask for them: `config-v1.1.xml`. Written only.

As draft-ietf-mailmaint-autoconfig-06 has it. What an address is made of is left to the program: `%EMAILADDRESS%`.
"""

from xml.etree.ElementTree import Element, SubElement, tostring

from mailstack.model.client_settings import ClientSettings

# TLS from the first byte before STARTTLS (RFC 8314 §3): programs take the first that they can.
INCOMING = (("imaps", "SSL"), ("imap", "STARTTLS"))
OUTGOING = (("submissions", "SSL"), ("submission", "STARTTLS"))
# Behind TLS; SCRAM is tried first by programs that know it.
PASSWORD = "password-cleartext"


def write_autoconfig(settings: ClientSettings) -> bytes:
    config = Element("clientConfig", version="1.1")
    provider = SubElement(config, "emailProvider", id=settings.domain)
    _text(provider, "domain", settings.domain)
    _text(provider, "displayName", settings.domain)
    _text(provider, "displayShortName", settings.domain)
    for listener, socket_type in INCOMING:
        _server(SubElement(provider, "incomingServer", type="imap"), settings, listener, socket_type)
    if settings.base_url is not None:
        jmap = SubElement(provider, "incomingServer", type="jmap")
        _text(jmap, "url", f"{settings.base_url}/.well-known/jmap")
        SubElement(jmap, "authentication", system="http").text = "Basic"
        _text(jmap, "username", _username(settings))
    for listener, socket_type in OUTGOING:
        _server(SubElement(provider, "outgoingServer", type="smtp"), settings, listener, socket_type)
    for empty in [each for each in provider if each.tag.endswith("Server") and not len(each)]:
        provider.remove(empty)
    if settings.base_url is not None:
        SubElement(SubElement(config, "webMail"), "loginPage", url=f"{settings.base_url}/mail")
    return bytes(tostring(config, encoding="UTF-8", xml_declaration=True))


def _server(server: Element, settings: ClientSettings, listener: str, socket_type: str) -> None:
    port = settings.ports.get(listener)
    if port is None:
        return
    _text(server, "hostname", settings.hostname)
    _text(server, "port", str(port))
    _text(server, "socketType", socket_type)
    _text(server, "authentication", PASSWORD)
    _text(server, "username", _username(settings))


def _username(settings: ClientSettings) -> str:
    if settings.login_domain == settings.domain:
        return "%EMAILADDRESS%"
    return f"%EMAILLOCALPART%@{settings.login_domain}"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text
