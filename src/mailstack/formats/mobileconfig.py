"""A configuration profile for Apple's Mail: one account, IMAP and submission. Written only.

As Apple's "Device Management: Mail" documents it. Without a password, the device asks for it when the profile is
installed.
"""

import plistlib
from uuid import NAMESPACE_URL, uuid5

from mailstack.model.address import Address
from mailstack.model.client_settings import ClientSettings

MEDIA_TYPE = "application/x-apple-aspen-config"


def write_mobileconfig(settings: ClientSettings, address: Address, password: str = "") -> bytes | None:
    """None where no program could both read and send. password: "" for one that is asked for."""
    incoming, outgoing = settings.imap, settings.submission
    if incoming is None or outgoing is None:
        return None
    login = settings.login_of(address)
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
        "IncomingMailServerPortNumber": incoming.port,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerUsername": login,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": settings.hostname,
        "OutgoingMailServerPortNumber": outgoing.port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": login,
        "OutgoingPasswordSameAsIncomingPassword": True,
        **({"IncomingPassword": password} if password else {}),
    }
    asked = "Its password is in it." if password else "The password is asked for."
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"{_reverse(settings.hostname)}.mail.{_uuid(identity)}",
            "PayloadUUID": _uuid(identity),
            "PayloadDisplayName": f"Mail for {address}",
            "PayloadDescription": f"Sets up {address} in Mail. {asked}",
            "PayloadOrganization": settings.domain,
            "PayloadRemovalDisallowed": False,
            "PayloadContent": [account],
        }
    )


def _uuid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name)).upper()


def _reverse(hostname: str) -> str:
    return ".".join(reversed(hostname.split(".")))
