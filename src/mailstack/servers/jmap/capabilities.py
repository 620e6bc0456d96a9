"""What the server can do, by URI: each is offered once every method of it is there. RFC 8620 §2, RFC 8621 §1.3."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mailstack
from mailstack.model.sorting import Collation
from mailstack.servers.jmap.blob_lookup import TYPES
from mailstack.services.inbound.filter.knowledge import LIST_SCHEMES
from mailstack.services.mailbox.paths import MAX_DEPTH, MAX_NAME_OCTETS
from mailstack.services.scripts import MAX_NAME_OCTETS as MAX_SCRIPT_NAME_OCTETS
from mailstack.services.scripts import SCRIPT_LIMITS, SCRIPT_QUOTA
from mailstack.sieve.ext.enotify import NOTIFY_SCHEMES
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.wire.jmap.blob_given import MAX_SOURCES
from mailstack.wire.jmap.blob_wanted import ALGORITHMS
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.mail.email_sort import EMAIL_SORTS
from mailstack.wire.jmap.session import (
    BLOB,
    CORE,
    MAIL,
    QUOTA,
    SIEVE,
    SUBMISSION,
    VACATION_RESPONSE,
    WEB_SOCKET,
    WEBPUSH_VAPID,
    core_capability,
)
from mailstack.wire.smtp.future_release import MAX_HOLD_S

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """methods: all that it has. of_server, of_account: the facts in the session object; is_own: of one's own account.
    of_account is None for what is not of accounts, and gives None for accounts that have it not."""

    urn: str
    methods: Collection[str]
    of_server: Callable[[JmapLimits], Facts]
    of_account: Callable[[JmapLimits, bool], Facts | None] | None


def _no_facts(_limits: JmapLimits, _is_own: bool = True) -> Facts:
    return {}


def _core(limits: JmapLimits) -> Facts:
    return core_capability(limits, [*Collation])


def _mail(limits: JmapLimits, is_own: bool) -> Facts:
    # RFC 8621 §1.3.1
    return {
        "maxMailboxesPerEmail": None,
        "maxMailboxDepth": MAX_DEPTH,
        "maxSizeMailboxName": MAX_NAME_OCTETS,
        "maxSizeAttachmentsPerEmail": limits.attachments_octets,
        "emailQuerySortOptions": [*EMAIL_SORTS],
        # RFC 4314 §4: at the top only the owner may.
        "mayCreateTopLevelMailbox": is_own,
    }


def _blob(limits: JmapLimits, _is_own: bool) -> Facts:
    # RFC 9404 §3.1
    return {
        "maxSizeBlobSet": limits.upload_octets,
        "maxDataSources": MAX_SOURCES,
        "supportedTypeNames": [*TYPES],
        "supportedDigestAlgorithms": [*ALGORITHMS],
    }


def _submission(limits: JmapLimits, is_own: bool) -> Facts | None:
    if not is_own:
        return None
    # RFC 8621 §1.3.2: what EHLO offers, without what is between two servers. The latest moment that FUTURERELEASE has
    # there would make the session another one each second.
    return {
        "maxDelayedSend": MAX_HOLD_S,
        "submissionExtensions": {
            "DSN": [],
            "FUTURERELEASE": [],
            "REQUIRETLS": [],
            "SIZE": [str(limits.message_octets)],
            "SMTPUTF8": [],
        },
    }


def _sieve_engine(_limits: JmapLimits) -> Facts:
    # RFC 9661 §1.2.1
    return {"implementation": f"mailstack {mailstack.__version__}"}


def _own(_limits: JmapLimits, is_own: bool) -> Facts | None:
    return {} if is_own else None


def _sieve(_limits: JmapLimits, is_own: bool) -> Facts | None:
    if not is_own:
        return None
    return {
        "maxSizeScriptName": MAX_SCRIPT_NAME_OCTETS,
        "maxSizeScript": SCRIPT_LIMITS.script_octets,
        "maxNumberScripts": SCRIPT_QUOTA.scripts,
        "maxNumberRedirects": SCRIPT_LIMITS.redirects,
        "sieveExtensions": sorted(extension.name for extension in EXTENSIONS if extension.name),
        "notificationMethods": [*NOTIFY_SCHEMES],
        "externalLists": [*LIST_SCHEMES],
    }


_QUERIED = ("get", "changes", "query", "queryChanges")


def _methods(of: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{of}/{name}" for name in names)


CAPABILITIES: Sequence[Capability] = (
    Capability(
        urn=CORE,
        methods=("Core/echo", "Blob/copy", *_methods("PushSubscription", "get", "set")),
        of_server=_core,
        of_account=None,
    ),
    Capability(urn=WEBPUSH_VAPID, methods=(), of_server=_no_facts, of_account=None),
    Capability(
        urn=MAIL,
        methods=(
            *_methods("Mailbox", *_QUERIED, "set"),
            *_methods("Thread", "get", "changes"),
            *_methods("Email", *_QUERIED, "set", "copy", "import", "parse"),
            "SearchSnippet/get",
        ),
        of_server=_no_facts,
        of_account=_mail,
    ),
    Capability(
        urn=SUBMISSION,
        methods=(*_methods("Identity", "get", "changes", "set"), *_methods("EmailSubmission", *_QUERIED, "set")),
        of_server=_no_facts,
        of_account=_submission,
    ),
    Capability(
        urn=VACATION_RESPONSE,
        methods=_methods("VacationResponse", "get", "set"),
        of_server=_no_facts,
        of_account=_own,
    ),
    Capability(
        urn=SIEVE,
        methods=_methods("SieveScript", "get", "set", "query", "validate"),
        of_server=_sieve_engine,
        of_account=_sieve,
    ),
    Capability(urn=BLOB, methods=_methods("Blob", "upload", "get", "lookup"), of_server=_no_facts, of_account=_blob),
    # RFC 8887 §3; its address is the session's to say.
    Capability(urn=WEB_SOCKET, methods=(), of_server=lambda _: {"supportsPush": True}, of_account=None),
    Capability(urn=QUOTA, methods=_methods("Quota", *_QUERIED), of_server=_no_facts, of_account=_no_facts),
)


def offered(methods: Collection[str]) -> Mapping[str, Capability]:
    """By URI. methods: those that there are."""
    return {each.urn: each for each in CAPABILITIES if set(each.methods) <= set(methods)}
