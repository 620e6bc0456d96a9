"""When an authority would have a certificate renewed, as it says it on the wire. Pure. RFC 9773."""

from collections.abc import Mapping
from datetime import datetime

from cryptography import x509
from josepy.b64 import b64encode

from mailstack.model.instant import Instant, from_datetime
from mailstack.model.issuance import RenewalInfo

LONGEST_URL = 300


def certificate_id(chain: str) -> str:
    """What the authority calls the certificate that comes first; "" for one that has no such name."""
    try:
        leaf = x509.load_pem_x509_certificates(chain.encode("utf-8"))[0]
        issuer = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (ValueError, x509.ExtensionNotFound):
        return ""
    if issuer is None:
        return ""
    # RFC 9773 §4.1: the issuer's key identifier, and the serial number as DER has it: signed, and as short as can be.
    serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1, "big")
    return ".".join(b64encode(part).decode("ascii") for part in (issuer, serial))


def renewal_info(document: object) -> RenewalInfo | None:
    """None for a document that is none, or whose window is none."""
    window = document.get("suggestedWindow") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(window, Mapping):
        return None
    start, end = _moment(window.get("start")), _moment(window.get("end"))
    # RFC 9773 §4.2: a window that ends before it begins is as good as no answer.
    if start is None or end is None or end <= start:
        return None
    return RenewalInfo(start=start, end=end, page=_page(document.get("explanationURL")))


def _page(url: object) -> str:
    """It is shown to people, and comes from outside."""
    is_shown = isinstance(url, str) and url.startswith("https://") and url.isprintable() and len(url) <= LONGEST_URL
    return str(url) if is_shown and " " not in str(url) else ""


def _moment(text: object) -> Instant | None:
    """RFC 3339, as RFC 9773 §4.2 has it."""
    try:
        moment = datetime.fromisoformat(str(text))
        return None if moment.tzinfo is None else from_datetime(moment)
    except (ValueError, OverflowError):
        return None
