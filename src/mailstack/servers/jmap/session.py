"""The session object of who asks: what there is for them, now. RFC 8620 §2."""

from mailstack.model.principal import Account
from mailstack.servers.jmap.service import JmapService
from mailstack.services.mailbox.sharing import sharing_accounts
from mailstack.wire.jmap.session import CORE, SessionFacts, SharedAccount, core_capability
from mailstack.wire.jmap.sort import COLLATION

CAPABILITIES = frozenset({CORE})
"""All that a request may be `using`."""


async def session_facts(service: JmapService, login: Account) -> SessionFacts:
    others = await sharing_accounts(service.mail_of(login))
    return SessionFacts(
        username=login.login,
        capabilities={CORE: core_capability(service.limits, (COLLATION,))},
        accounts=[_account(login, is_personal=True), *(_account(owner, is_personal=False) for owner in others)],
    )


def _account(account: Account, *, is_personal: bool) -> SharedAccount:
    return SharedAccount(account_id=account.account_id, name=account.login, is_personal=is_personal, capabilities={})
