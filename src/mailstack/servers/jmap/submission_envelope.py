"""From whom and to whom an email goes: as a client gives it, or as its header says. RFC 8621 §7."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailstack.formats.addresses import Mailbox, parse_mailboxes
from mailstack.formats.headers import Field, every
from mailstack.formats.xtext import encode_xtext
from mailstack.model.address import parse_address
from mailstack.model.errors import Invalid
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.model.instant import Instant
from mailstack.servers.delivery_parameters import parse_envelope_id, parse_notification, parse_returned
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.submission_given import GivenAddress, GivenEnvelope, Parameters
from mailstack.wire.smtp.future_release import PARAMETERS as HOLDING
from mailstack.wire.smtp.future_release import parse_hold
from mailstack.wire.smtp.path import write_path

# RFC 5321 §4.5.3.1.3: 256 octets with the brackets.
MAX_PATH_OCTETS = 254
_OF_MAIL = HOLDING | {"RET", "ENVID", "REQUIRETLS", "SIZE", "BODY", "SMTPUTF8", "AUTH"}
_OF_RCPT = frozenset({"NOTIFY", "ORCPT"})
_WITHOUT_VALUE = frozenset({"REQUIRETLS", "SMTPUTF8"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """written: as its author sees it. paths: each once, but for those that are no addresses, which are in invalid."""

    written: Mapping[str, Any]
    reverse_path: str
    paths: Sequence[str]
    invalid: Sequence[str]
    handling: Handling = PLAIN
    notifications: Mapping[str, Notification]
    release_at: Instant | None = None


def envelope_given(given: GivenEnvelope, *, now: Instant) -> Envelope:
    """Raises NotSet."""
    mail, recipients = given.mail_from, given.rcpt_to
    _check(mail.parameters, _OF_MAIL)
    for each in recipients:
        _check(each.parameters, _OF_RCPT)
    try:
        reverse_path = path_of(mail.email) if mail.email else ""
        wishes = [parse_notification(_in_xtext(each.parameters), smtp_utf8=True) for each in recipients]
        handling = _handling(_in_xtext(mail.parameters))
        release_at = parse_hold(mail.parameters, now=now)
    except Invalid as fault:
        raise invalid_property("envelope", fault.detail) from None
    paths, invalid = _paths([each.email for each in recipients])
    notifications = {path: wish for path, wish in zip(paths, wishes, strict=True) if path and wish != UNASKED}
    return Envelope(
        written={"mailFrom": _written(mail), "rcptTo": [*map(_written, recipients)]},
        reverse_path=reverse_path,
        paths=[*dict.fromkeys(filter(None, paths))],
        invalid=invalid,
        handling=handling,
        notifications=notifications,
        release_at=release_at,
    )


def envelope_derived(fields: Sequence[Field], identity_email: str) -> Envelope:
    """RFC 8621 §7: what the header says, where the client leaves it to the server. identity_email: one of the
    account's. Raises NotSet."""
    sender = _sender(fields)
    # RFC 8621 §7: one that the identity does not have is replaced by that which it has.
    email = path_of(identity_email if sender is None or not _is_same(sender, identity_email) else sender)
    found = [
        mailbox
        for name in (b"to", b"cc", b"bcc")
        for value in every(fields, name)
        for mailbox in parse_mailboxes(value)
    ]
    emails = [*dict.fromkeys(map(_email, found))]
    paths, invalid = _paths(emails)
    valid = [*dict.fromkeys(filter(None, paths))]
    return Envelope(
        written={
            "mailFrom": {"email": email, "parameters": None},
            "rcptTo": [{"email": path, "parameters": None} for path in valid],
        },
        reverse_path=email,
        paths=valid,
        invalid=invalid,
        notifications={},
    )


def path_of(email: str) -> str:
    """As in MAIL and RCPT, without brackets. Raises Invalid."""
    path = write_path(email)[1:-1].decode()
    if len(path.encode()) > MAX_PATH_OCTETS:
        raise Invalid("an overlong address")
    return path


def _paths(emails: Sequence[str]) -> tuple[list[str], list[str]]:
    """ "" for what is no address; and what that is."""
    paths: list[str] = []
    invalid: dict[str, None] = {}
    for email in emails:
        try:
            paths.append(path_of(email))
        except Invalid:
            paths.append("")
            invalid[email] = None
    return paths, [*invalid]


def _sender(fields: Sequence[Field]) -> str | None:
    """RFC 8621 §7: the address of Sender, else of From; several would leave it open which. None for none."""
    for name in (b"sender", b"from"):
        values = every(fields, name)
        if not values:
            continue
        mailboxes = [mailbox for value in values for mailbox in parse_mailboxes(value)]
        if len(values) > 1 or len(mailboxes) > 1:
            raise invalid_email(f"the {name.decode()} field has more than one address", name.decode())
        if mailboxes:
            return _email(mailboxes[0])
    return None


def invalid_email(description: str, *properties: str) -> NotSet:
    """RFC 8621 §7.5. properties: of the Email."""
    return NotSet(SetFault(type=SetFaultType.INVALID_EMAIL, description=description, properties=properties))


def _email(mailbox: Mailbox) -> str:
    return b"@".join((mailbox.local_part, mailbox.domain)).decode("utf-8", "replace")


def _is_same(one: str, other: str) -> bool:
    try:
        return parse_address(one).key == parse_address(other).key
    except Invalid:
        return False


def _check(parameters: Parameters, known: frozenset[str]) -> None:
    unknown = sorted(parameters.keys() - known)
    if unknown:
        raise invalid_property("envelope", f"there is no parameter {unknown[0][:100]}")
    wrong = sorted(name for name in _WITHOUT_VALUE & parameters.keys() if parameters[name] is not None)
    if wrong:
        raise invalid_property("envelope", f"the parameter {wrong[0]} has no value")


def _in_xtext(parameters: Parameters) -> Parameters:
    """RFC 8621 §7: JSON has the texts themselves. Raises Invalid."""
    found = dict(parameters)
    if found.get("ENVID"):
        found["ENVID"] = encode_xtext(found["ENVID"] or "")
    kind, _, address = (found.get("ORCPT") or "").partition(";")
    # RFC 6533 §3: of utf-8, the text stands as it is.
    if address and kind.casefold() != "utf-8":
        found["ORCPT"] = f"{kind};{encode_xtext(address)}"
    return found


def _handling(parameters: Parameters) -> Handling:
    return Handling(
        requires_tls="REQUIRETLS" in parameters,
        returned=parse_returned(parameters),
        envelope_id=parse_envelope_id(parameters),
    )


def _written(given: GivenAddress) -> dict[str, Any]:
    return {"email": given.email, "parameters": dict(given.parameters) or None}
