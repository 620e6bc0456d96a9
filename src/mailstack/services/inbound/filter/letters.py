"""Mail that is written because of a script: answers, notifications, notices of refusal and of a script's own failure.

None to nobody, to programs and lists, or about what is junk here: it would only reach somebody who never wrote.
RFC 3834, RFC 5230, RFC 5429, RFC 5436.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.auto_reply import AutoReply, why_not, write_auto_reply
from mailstack.formats.compose import write_date, write_field, write_message_id, write_text_field
from mailstack.formats.dsn import Action as DsnAction
from mailstack.formats.dsn import Notice, RecipientStatus, write_notice
from mailstack.formats.feedback_report import FeedbackReport, write_feedback_report
from mailstack.formats.headers import Field, first, header_end, scan_fields
from mailstack.formats.list_fields import is_automatic
from mailstack.formats.mailto import parse_mailto
from mailstack.formats.mdn import Refused, write_refused
from mailstack.formats.notification import Notification, recipients, write_notification
from mailstack.formats.seven_bit import has_8bit
from mailstack.formats.spam_fields import without_own_spam_fields
from mailstack.formats.text_part import write_text_part
from mailstack.formats.words import decode_words
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.mailauth.dkim.sign import sign
from mailstack.model import handling
from mailstack.model.address import parse_address
from mailstack.model.delivery import NULL_PATH, SmtpReply
from mailstack.model.errors import Invalid
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account
from mailstack.services.inbound.deliver import Letter, Shipment
from mailstack.services.inbound.filter.sender import Sender
from mailstack.services.inbound.filter.verdict import Ran
from mailstack.services.inbound.trust import is_distrusted, is_path_forged
from mailstack.services.outbound.promises import TlsWish, tls_wish
from mailstack.sieve.actions import Notify, Refusal, Reject, Report, Vacation
from mailstack.sieve.addresses import outbound_address

TOKEN_BYTES = 16
NEVER = handling.Notification(notify_on=frozenset())
TLS_OPTIONAL = b"TLS-Required: No\r\n"
_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,900}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """In whose name mail is written. signing_keys: by domain. token: random bytes."""

    hostname: str
    signing_keys: Mapping[str, Sequence[SigningKey]]
    token: Callable[[int], bytes]

    def answer(self, letter: Letter, raw: RawMessage, account: Account, action: Vacation) -> bytes:
        """Raises Invalid for a `:mime` text that is none."""
        author = _author(action.sender, letter, account)
        reply = AutoReply(
            to=letter.reverse_path,
            sender=author,
            name=_name(action.sender) if author == _bare(action.sender) else account.name,
            subject=action.subject,
            text=_with_crlf(action.reason),
            is_mime=action.is_mime,
            written_at=letter.received_at,
            domain=author.rpartition("@")[2],
            fields=scan_fields(raw),
        )
        return self._signed(_tls_wish_of(letter, raw) + write_auto_reply(reply, token=self._token()), author, letter)

    def notification(
        self, letter: Letter, raw: RawMessage, account: Account, action: Notify
    ) -> tuple[bytes, tuple[str, ...], str]:
        """And whom it goes to, and under which path. Raises Invalid."""
        uri = parse_mailto(action.method)
        if uri is None:
            raise Invalid(f"{action.method} is no way to notify anybody")
        author = _author(action.sender, letter, account)
        written = write_notification(
            Notification(
                uri=uri,
                sender=author,
                owner=account.login,
                message=action.message,
                written_at=letter.received_at,
                domain=author.rpartition("@")[2],
                fields=scan_fields(raw),
            ),
            token=self._token(),
        )
        # RFC 5436 §2.7: what comes of a mail with a null path has one as well.
        path = author if letter.reverse_path != NULL_PATH else NULL_PATH
        return self._signed(written, author, letter), recipients(uri), path

    def report(self, letter: Letter, raw: RawMessage, account: Account, action: Report) -> bytes:
        author = f"postmaster@{self.hostname}"
        report = FeedbackReport(
            feedback_type=action.feedback_type,
            author=author,
            to=action.address,
            text=_with_crlf(action.message),
            raw=raw,
            has_body=action.has_body,
            reverse_path=letter.reverse_path,
            reporting_user=account.login,
            written_at=letter.received_at,
            domain=self.hostname,
        )
        return self._signed(write_feedback_report(report, token=self._token()), author, letter)

    def refusal(self, letter: Letter, account: Account, action: Reject) -> bytes:
        """RFC 5429 §2.1: of ereject a failed delivery, §2.2: of reject a disposition."""
        recipient = letter.paths.get(account.account_id, account.login)
        header = without_own_spam_fields(letter.raw[: header_end(letter.raw)])
        if action.kind is Refusal.EREJECT:
            # RFC 5429 §2.1.2: with what the script says, and that it was a script.
            said = " ".join(action.reason.split())
            reply = SmtpReply(code=550, status="5.7.1", text=f"Refused by the recipient's mail filter: {said}")
            notice = Notice(
                action=DsnAction.FAILED,
                reporting_host=self.hostname,
                to=letter.reverse_path,
                arrived_at=letter.received_at,
                written_at=letter.received_at,
                recipients=(RecipientStatus(recipient=recipient, reply=reply, host=""),),
                header=header,
                envelope_id=letter.handling.envelope_id,
                trace_id=letter.trace_id,
                is_tls_optional=_is_tls_optional(letter, letter.raw),
            )
            return write_notice(notice, token=self._token())
        refused = Refused(
            reporting_host=self.hostname,
            to=letter.reverse_path,
            recipient=recipient,
            reason=_with_crlf(action.reason),
            written_at=letter.received_at,
            header=header,
            message_id=_message_id(scan_fields(letter.raw)),
        )
        return _tls_wish_of(letter, letter.raw) + write_refused(refused, token=self._token())

    def failure(self, letter: Letter, account: Account, ran: Ran) -> bytes:
        """To the account itself: of a script that failed, and what became of the mail."""
        text = (
            f"Your Sieve script failed on a mail of {letter.reverse_path or 'nobody (a notice)'}:\r\n\r\n"
            f"    {ran.fault}\r\n\r\n"
            "The mail was not lost: it was kept as if the script had done nothing. Until the script is changed,\r\n"
            "you are not told of this fault again.\r\n"
        )
        return b"".join(
            (
                write_field("From", f"Mail Delivery System <mailer-daemon@{self.hostname}>"),
                write_field("To", f"<{account.login}>"),
                write_text_field("Subject", "Your mail filter failed"),
                write_date(letter.received_at),
                write_message_id(self._token(), self.hostname),
                write_field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
                write_field("MIME-Version", "1.0"),
                write_text_part(b"text/plain", text.encode()),
            )
        )

    def _signed(self, raw: bytes, author: str, letter: Letter) -> bytes:
        keys = self.signing_keys.get(author.rpartition("@")[2], ())
        return sign(raw, keys, now=letter.received_at) + raw if keys else raw

    def _token(self) -> str:
        return self.token(TOKEN_BYTES).hex()


def why_no_answer(sender: Sender, letter: Letter, raw: RawMessage, account: Account, action: Vacation) -> str:
    """RFC 5230 §4.5, §4.6. "" where there is one."""
    if sender.is_suspicious:
        return "it is junk"
    if is_distrusted(sender) or is_path_forged(sender):
        return "its sender failed the checks"
    return why_not(scan_fields(raw), reverse_path=letter.reverse_path, own=_own(letter, account, action.addresses))


def why_no_notification(sender: Sender, raw: RawMessage) -> str:
    """RFC 5436 §2.7: what was sent automatically sets off no other mail, which may set off the next; what has no more
    than the null path does."""
    if sender.is_suspicious:
        return "it is junk"
    return "it was sent automatically" if is_automatic(scan_fields(raw)) else ""


def why_no_report(letter: Letter, raw: RawMessage, account: Account, action: Report) -> str:
    """Reports must go in no circles: none comes of a report, and none to whoever reports."""
    if action.address.casefold() in _own(letter, account, ()):
        return "it would go to the account itself"
    return "it was sent automatically" if is_automatic(scan_fields(raw)) else ""


def why_no_refusal(sender: Sender, wished: handling.Notification, kind: Refusal) -> str:
    """RFC 5429 §2.1.2, §2.2: no notice goes to where a mail only says that it is from."""
    if sender.reverse_path == NULL_PATH:
        return "it is a notice"
    if is_distrusted(sender) or is_path_forged(sender):
        return "its sender failed the checks"
    # RFC 3461 §4.1: of a failed delivery.
    is_unwanted = kind is Refusal.EREJECT and not wished.wants(handling.NotifyOn.FAILURE)
    return "its sender wants no notice" if is_unwanted else ""


def to(letter: Letter, raw: bytes, paths: Sequence[str], *, reverse_path: str = NULL_PATH) -> Shipment:
    """Under the null path, nobody is to answer it, nor to be told that it did not arrive. RFC 3834 §3.3."""
    # RFC 6531 §3.4: a header beyond ASCII asks for it, as a path does.
    is_ascii = raw[: header_end(raw)].isascii() and all(path.isascii() for path in (*paths, reverse_path))
    written = Letter(
        reverse_path=reverse_path,
        peer_host="",
        raw=raw,
        received=b"",
        received_at=letter.received_at,
        is_8bit=has_8bit(raw),
        smtp_utf8=not is_ascii,
        trace_id=letter.trace_id,
        handling=letter.handling.inherited,
        # RFC 5230 §5.1: NOTIFY=NEVER.
        notifications=dict.fromkeys(paths, NEVER) if reverse_path == NULL_PATH else {},
    )
    return Shipment(letter=written, external=tuple(paths))


def _own(letter: Letter, account: Account, named: Sequence[str]) -> set[str]:
    own = {*account.address_keys, *named}
    if account.account_id in letter.paths:
        own.add(letter.paths[account.account_id])
    return {address.casefold() for address in own}


def _author(wished: str, letter: Letter, account: Account) -> str:
    """RFC 5230 §4.3: a script may say another, and it counts where it is one of the account's."""
    own = account.address_keys
    bare = _bare(wished)
    if bare and (_key(bare) in own):
        return bare
    path = _key(letter.paths.get(account.account_id, ""))
    return path if path in own else account.login


def _bare(text: str) -> str:
    try:
        return outbound_address(text) if text else ""
    except Invalid:
        return ""


def _name(text: str) -> str:
    return next((decode_words(one.name) for one in parse_mailboxes(text.encode("utf-8", "replace"))), "")


def _key(text: str) -> str:
    try:
        return parse_address(text).key
    except Invalid:
        return ""


def _message_id(fields: Sequence[Field]) -> str:
    """ "" for one that is none, or fits no line: the notice is more than what it names."""
    found = _MESSAGE_ID.fullmatch(first(fields, b"message-id") or b"")
    return "" if found is None else found[0].decode("ascii")


def _is_tls_optional(letter: Letter, raw: RawMessage) -> bool:
    return tls_wish(letter.handling, raw, reverse_path=letter.reverse_path) is TlsWish.OPTIONAL


def _tls_wish_of(letter: Letter, raw: RawMessage) -> bytes:
    """RFC 8689 §6: what answers a mail asks no more of TLS than it did."""
    return TLS_OPTIONAL if _is_tls_optional(letter, raw) else b""


def _with_crlf(text: str) -> str:
    return "\r\n".join(text.splitlines())
