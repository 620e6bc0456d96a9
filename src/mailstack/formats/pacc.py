"""The settings of a domain as PACC has them: a JSON document, and the record in DNS that holds its digest.

Written only. As draft-ietf-mailmaint-pacc-03 has it: ports are never said, so only services on their standard ports
are there.
"""

import base64
import hashlib

import orjson

from mailstack.model.client_settings import HTTPS_PORT, ClientSettings

HOST = "ua-auto-config"
PATH = "/.well-known/user-agent-configuration.json"
IMPLICIT_TLS = (("imap", "imaps", 993), ("submit", "submissions", 465))
"""As the document has it, as the listeners have it, and the port that is meant."""
MOST_NAME_LETTERS = 60


def write_pacc(settings: ClientSettings) -> bytes:
    """The same octets for the same settings: their digest is in DNS."""
    protocols: dict[str, dict[str, str]] = {
        name: {"host": settings.hostname}
        for name, listener, port in IMPLICIT_TLS
        if settings.ports.get(listener) == port
    }
    if settings.ports.get("https") == HTTPS_PORT:
        protocols["jmap"] = {"url": f"{settings.base_url}/.well-known/jmap"}
    document = {
        "authentication": {"password": True},
        "info": {"provider": {"name": settings.domain[:MOST_NAME_LETTERS]}},
        "protocols": protocols,
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def write_pacc_record(document: bytes) -> str:
    """The text at `_ua-auto-config.DOMAIN`."""
    digest = base64.b64encode(hashlib.sha256(document).digest()).decode("ascii")
    return f"v=UAAC1; a=sha256; d={digest}"
