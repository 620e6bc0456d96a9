"""The session object of who asks: what there is for them, now. RFC 8620 §2."""

from mailstack.model.principal import Account
from mailstack.servers.jmap.capabilities import offered
from mailstack.servers.jmap.dispatch import METHODS
from mailstack.servers.jmap.service import JmapService
from mailstack.services.mailbox.sharing import sharing_accounts
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import WEBPUSH_VAPID, SessionFacts, SharedAccount

CAPABILITIES = offered(METHODS)
"""All that a request may be `using`, by URI."""


async def session_facts(service: JmapService, login: Account) -> SessionFacts:
    others, limits = await sharing_accounts(service.mail_of(login)), service.limits
    return SessionFacts(
        username=login.login,
        capabilities={
            **{urn: each.of_server(limits) for urn, each in CAPABILITIES.items()},
            # RFC 9749 §3
            WEBPUSH_VAPID: {"applicationServerKey": service.push_key},
        },
        accounts=[_account(login, limits, is_own=True), *(_account(owner, limits, is_own=False) for owner in others)],
    )


def _account(account: Account, limits: JmapLimits, *, is_own: bool) -> SharedAccount:
    return SharedAccount(
        account_id=account.account_id,
        name=account.login,
        is_personal=is_own,
        capabilities={
            urn: facts
            for urn, each in CAPABILITIES.items()
            if each.of_account is not None and (facts := each.of_account(limits, is_own)) is not None
        },
    )
