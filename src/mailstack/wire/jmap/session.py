"""The session object: what the server can do, for which accounts, and where. RFC 8620 §2."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mailstack.wire.jmap.limits import JmapLimits

CORE = "urn:ietf:params:jmap:core"
MAIL = "urn:ietf:params:jmap:mail"
SUBMISSION = "urn:ietf:params:jmap:submission"
VACATION_RESPONSE = "urn:ietf:params:jmap:vacationresponse"
BLOB = "urn:ietf:params:jmap:blob"
SIEVE = "urn:ietf:params:jmap:sieve"
QUOTA = "urn:ietf:params:jmap:quota"
WEBPUSH_VAPID = "urn:ietf:params:jmap:webpush-vapid"
WEB_SOCKET = "urn:ietf:params:jmap:websocket"

SESSION_PATH = "/jmap/session"
API_PATH = "/jmap/api"
DOWNLOAD_PATH = "/jmap/download/{accountId}/{blobId}/{name}"
UPLOAD_PATH = "/jmap/upload/{accountId}"
EVENTS_PATH = "/jmap/events"
WEB_SOCKET_PATH = "/jmap/ws"
_STATE_OCTETS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAccount:
    """capabilities: what can be done there, with the facts of each. name: for people."""

    account_id: str
    name: str
    is_personal: bool
    capabilities: Mapping[str, Mapping[str, Any]]


def socket_url(base_url: str) -> str:
    """RFC 8887 §3, RFC 6455 §3: wss:// where it is https://."""
    return "ws" + base_url.removeprefix("http") + WEB_SOCKET_PATH


def core_capability(limits: JmapLimits, collations: Sequence[str]) -> Mapping[str, Any]:
    return {
        "maxSizeUpload": limits.upload_octets,
        "maxConcurrentUpload": limits.concurrent_upload,
        "maxSizeRequest": limits.request_octets,
        "maxConcurrentRequests": limits.concurrent_requests,
        "maxCallsInRequest": limits.calls_in_request,
        "maxObjectsInGet": limits.objects_in_get,
        "maxObjectsInSet": limits.objects_in_set,
        "collationAlgorithms": [*collations],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """capabilities: of the server, with the facts of each. accounts: one's own first."""

    username: str
    capabilities: Mapping[str, Mapping[str, Any]]
    accounts: Sequence[SharedAccount]

    @property
    def state(self) -> str:
        """RFC 8620 §2: another one whenever anything else in the object is another, the URLs aside."""
        written = orjson.dumps(self._as_json(), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(written).hexdigest()[: 2 * _STATE_OCTETS]

    def as_json(self, base_url: str) -> dict[str, Any]:
        """base_url: scheme and authority, as the client asked for them: URLs are absolute."""
        written = self._as_json()
        capabilities = {
            urn: {**facts, "url": socket_url(base_url)} if urn == WEB_SOCKET else facts
            for urn, facts in self.capabilities.items()
        }
        return {
            **written,
            "capabilities": capabilities,
            "apiUrl": base_url + API_PATH,
            # RFC 8620 §2: URI templates with these variables (RFC 6570, level 1).
            "downloadUrl": f"{base_url}{DOWNLOAD_PATH}?accept={{type}}",
            "uploadUrl": base_url + UPLOAD_PATH,
            "eventSourceUrl": f"{base_url}{EVENTS_PATH}?types={{types}}&closeafter={{closeafter}}&ping={{ping}}",
            "state": self.state,
        }

    def _as_json(self) -> dict[str, Any]:
        own = [account for account in self.accounts if account.is_personal]
        return {
            "username": self.username,
            "capabilities": self.capabilities,
            "accounts": {account.account_id: _account(account) for account in self.accounts},
            "primaryAccounts": {urn: account.account_id for account in own for urn in account.capabilities},
        }


def _account(account: SharedAccount) -> dict[str, Any]:
    return {
        "name": account.name,
        "isPersonal": account.is_personal,
        # RFC 8620 §2: only where it is so for all that is in there; rights are each mailbox's.
        "isReadOnly": False,
        "accountCapabilities": account.capabilities,
    }
