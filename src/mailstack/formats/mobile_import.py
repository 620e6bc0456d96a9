"""One account as Thunderbird for Android imports it from a QR code: settings and password. Written only.

As thunderbird-android documents it, version 1 of the format: what desktop Thunderbird's "Export for Mobile" shows.
"""

import json

from mailstack.model.address import Address
from mailstack.model.client_settings import ClientSettings, MailPort

VERSION = 1
FIRST_OF_ONE = (1, 1)
IMAP, SMTP = 0, 0
STARTTLS, TLS = 2, 3
PASSWORD_IN_CLEAR = 1
NAME_IS_THE_ADDRESS = ""


def write_mobile_import(settings: ClientSettings, address: Address, password: str, name: str) -> str | None:
    """name: of the person, "" for none. None for an account that the format has no words for: one that cannot both read
    and send, or whose address is not ASCII."""
    incoming, outgoing = settings.imap, settings.submission
    if incoming is None or outgoing is None or not str(address).isascii():
        return None
    login = settings.login_of(address)
    imap = (IMAP, *_server(settings, incoming), login, NAME_IS_THE_ADDRESS, password)
    smtp = (SMTP, *_server(settings, outgoing), login, password)
    identity = (str(address), name or str(address))
    # Escaped to ASCII: readers of QR codes do not agree on how octets are letters.
    return json.dumps((VERSION, FIRST_OF_ONE, imap, ((smtp, identity),)), separators=(",", ":"))


def _server(settings: ClientSettings, mail_port: MailPort) -> tuple[str, int, int, int]:
    return settings.hostname, mail_port.port, TLS if mail_port.begins_in_tls else STARTTLS, PASSWORD_IN_CLEAR
