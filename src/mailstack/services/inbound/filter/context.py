"""What a script is shown of a mail and of how it came. RFC 5228 §5.4, RFC 5183 §4.1, RFC 6009 §2."""

from collections.abc import Mapping
from dataclasses import replace

import mailstack
from mailstack.formats.spam_fields import spam_fields_in
from mailstack.model.handling import UNASKED
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account, Domain
from mailstack.model.spam import SPAM_TENTHS, Judged, SpamPolicy
from mailstack.model.verdict import IprevResult
from mailstack.services.inbound.deliver import Letter
from mailstack.sieve.run import Mail, SieveEnvelope

DEFAULT_SEPARATOR = "+"
# RFC 5235 §3.2: "the message was tested and contains no known viruses", and "definitely contains a virus".
NO_KNOWN_VIRUS, SURELY_A_VIRUS = 1, 5


def mail_for(letter: Letter, raw: RawMessage, account: Account, *, hostname: str, domain: Domain | None) -> Mail:
    """raw: as it will lie in the mailbox. domain: of the account."""
    return Mail(
        raw=raw,
        envelope=SieveEnvelope(
            sender=letter.reverse_path,
            recipient=letter.paths.get(account.account_id, account.login),
            parameters=_parameters(letter, account),
        ),
        received_at=letter.received_at,
        environment=_environment(letter, hostname, account),
        addresses=account.address_keys,
        separator=DEFAULT_SEPARATOR if domain is None else domain.subaddress_separators,
    )


def judged_of(letter: Letter, account: Account, policy: SpamPolicy) -> Judged | None:
    """Of a mail out of the queue as the field says that we wrote on top of it. None where nobody has looked."""
    if account.account_id in letter.judged:
        return letter.judged[account.account_id]
    found = None if letter.peer_host or not policy.is_scored else spam_fields_in(letter.raw)
    return None if found is None else Judged(score=found, policy=policy)


def with_score(mail: Mail, judged: Judged | None) -> Mail:
    """RFC 5235 §2, §3."""
    if judged is None:
        return mail
    environment = {**mail.environment, SPAM_TENTHS: str(max(0, round(judged.score.points * 10)))}
    virus = SURELY_A_VIRUS if judged.score.virus else NO_KNOWN_VIRUS if judged.score.is_virus_checked else 0
    return replace(mail, spam_score=judged.percent, virus=virus, environment=environment)


def _environment(letter: Letter, hostname: str, account: Account) -> Mapping[str, str]:
    found = letter.authentication
    is_named = found is not None and found.iprev.result is IprevResult.PASS
    return {
        "domain": hostname.partition(".")[2],
        "host": hostname,
        "location": "MTA" if letter.peer_host else "MDA",
        "name": "mailstack",
        "phase": "during" if letter.peer_host else "post",
        "remote-host": found.iprev.name if found is not None and is_named else "",
        "remote-ip": letter.peer_host,
        "version": mailstack.__version__,
        "vnd.dovecot.default-mailbox": "INBOX",
        "vnd.dovecot.username": account.login,
    }


def _parameters(letter: Letter, account: Account) -> Mapping[str, tuple[str, ...]]:
    wished = letter.notifications.get(account.login, UNASKED)
    found: dict[str, tuple[str, ...]] = {}
    if wished.notify_on is not None:
        found["notify"] = tuple(sorted(wished.notify_on)) or ("NEVER",)
    if wished.original_recipient:
        found["orcpt"] = (wished.original_recipient,)
    if letter.handling.returned is not None:
        found["ret"] = (letter.handling.returned.value,)
    if letter.handling.envelope_id:
        found["envid"] = (letter.handling.envelope_id,)
    return found
