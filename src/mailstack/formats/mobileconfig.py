"""A configuration profile for Apple's Mail: one account, IMAP and submission, and no password in it. Written only.

As Apple's "Device Management: Mail" documents it. The device asks for the password when the profile is installed.
"""

import plistlib
from uuid import NAMESPACE_URL, uuid5

from mailstack.model.address import Address
from mailstack.model.client_settings import ClientSettings

MEDIA_TYPE = "application/x-apple-aspen-config"


def write_mobileconfig(settings: ClientSettings, address: Address) -> bytes | None:
    """None where no program could both read and send."""
    incoming = settings.ports.get("imaps") or settings.ports.get("imap")
    outgoing = settings.ports.get("submissions") or settings.ports.get("submission")
    if incoming is None or outgoing is None:
        return None
    login = f"{address.local_part}@{settings.login_domain}"
    # The same for the same address, so that a profile that is installed again takes the place of the one before.
    identity = f"{settings.hostname}/{address.key}"
    account = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{_reverse(settings.hostname)}.mail.{_uuid(identity)}.account",
        "PayloadUUID": _uuid(identity + "/account"),
        "PayloadDisplayName": str(address),
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": str(address),
        "EmailAddress": str(address),
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": settings.hostname,
        "IncomingMailServerPortNumber": incoming,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerUsername": login,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": settings.hostname,
        "OutgoingMailServerPortNumber": outgoing,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": login,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"{_reverse(settings.hostname)}.mail.{_uuid(identity)}",
            "PayloadUUID": _uuid(identity),
            "PayloadDisplayName": f"Mail for {address}",
            "PayloadDescription": f"Sets up {address} in Mail. The password is asked for.",
            "PayloadOrganization": settings.domain,
            "PayloadRemovalDisallowed": False,
            "PayloadContent": [account],
        }
    )


def _uuid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name)).upper()


def _reverse(hostname: str) -> str:
    return ".".join(reversed(hostname.split(".")))
