"""What a client wants a push subscription to be: the properties that it may set. RFC 8620 §7.2."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailstack.model.instant import Instant
from mailstack.model.push import PushKeys
from mailstack.wire.jmap.dates import read_utc_date
from mailstack.wire.jmap.faults import invalid_property
from mailstack.wire.jmap.mail.settable import check_settable

MOST_TYPES = 64
LONGEST_TYPE = 64
LONGEST_CLIENT_ID = 255
ONCE = ("deviceClientId", "url", "keys")
"""Set when it is made, and never again."""
CHANGING = ("verificationCode", "expires", "types")

# RFC 4648 §5, with or without padding.
_BASE64 = re.compile(r"[A-Za-z0-9_-]{0,200}={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushChanging:
    """code: as shown, None for none. expires_at: None: as late as may be."""

    code: str | None
    expires_at: Instant | None
    types: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushWanted:
    """url, keys: of the right type, and not looked at any further."""

    device_client_id: str
    url: str
    keys: PushKeys | None
    changing: PushChanging


def read_new_push(properties: Mapping[str, Any]) -> PushWanted:
    """Raises NotSet."""
    check_settable(properties, (*ONCE, *CHANGING), fixed={})
    changing = _changing(properties)
    if changing.code is not None:
        # RFC 8620 §7.2: null, or left out, when it is made.
        raise invalid_property("verificationCode", "the code is sent to the URL first")
    url = properties.get("url")
    if not isinstance(url, str):
        raise invalid_property("url", "a String")
    return PushWanted(
        device_client_id=_client_id(properties.get("deviceClientId")),
        url=url,
        keys=_keys(properties.get("keys")),
        changing=changing,
    )


def read_push_change(properties: Mapping[str, Any], *, fixed: Mapping[str, Any]) -> PushChanging:
    """properties: of the whole object. fixed: those that stay as they are. Raises NotSet."""
    check_settable(properties, CHANGING, fixed=fixed)
    return _changing(properties)


def write_keys(keys: PushKeys) -> dict[str, str]:
    return {
        name: base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
        for name, octets in (("p256dh", keys.p256dh), ("auth", keys.auth))
    }


def _changing(properties: Mapping[str, Any]) -> PushChanging:
    code = properties.get("verificationCode")
    if code is not None and not isinstance(code, str):
        raise invalid_property("verificationCode", "a String or null")
    expires = properties.get("expires")
    expires_at = None if expires is None else read_utc_date(expires)
    if expires is not None and expires_at is None:
        raise invalid_property("expires", "a UTCDate or null")
    return PushChanging(code=code, expires_at=expires_at, types=_types(properties.get("types")))


def _types(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid_property("types", "an array of Strings, or null")
    if len(value) > MOST_TYPES or any(not 0 < len(each) <= LONGEST_TYPE for each in value):
        raise invalid_property("types", f"at most {MOST_TYPES} names, each of 1 to {LONGEST_TYPE} letters")
    return tuple(value)


def _client_id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_CLIENT_ID:
        raise invalid_property("deviceClientId", f"a String of 1 to {LONGEST_CLIENT_ID} letters")
    return value


def _keys(value: object) -> PushKeys | None:
    match value:
        case None:
            return None
        case {"p256dh": str(p256dh), "auth": str(auth), **rest} if not rest:
            return PushKeys(p256dh=_octets(p256dh), auth=_octets(auth))
    raise invalid_property("keys", "an object of p256dh and auth, or null")


def _octets(text: str) -> bytes:
    try:
        if _BASE64.fullmatch(text):
            return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except binascii.Error:
        pass  # as below
    raise invalid_property("keys", "URL-safe base64")
