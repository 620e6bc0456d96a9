"""Somebody on the account page, and the page itself as it is for them now."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from mailstack.model.address import parse_address
from mailstack.model.app_password import ALL_SERVICES
from mailstack.model.client_settings import ClientSettings
from mailstack.model.errors import DomainError
from mailstack.model.password import SHORTEST_PASSWORD
from mailstack.model.principal import Role
from mailstack.servers.account.service import AccountService
from mailstack.servers.account.templating import page
from mailstack.services.identity.own_password import is_of_spec
from mailstack.services.identity.web_logins import WebLogin
from mailstack.services.mailbox.quota import OWN_ROOT, quota_of_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody's request, who is signed in."""

    service: AccountService
    request: Request
    who: WebLogin


async def account_page(visit: Visit, *, fault: str = "", made: str = "", status: int = 200) -> Response:
    """fault: of the form that was sent. made: an app password, shown this once."""
    service, account, now = visit.service, visit.who.account, visit.service.clock()
    values = {
        "account": account,
        "is_admin": Role.ADMIN in account.roles,
        "fault": fault,
        "made": made,
        "is_of_spec": await is_of_spec(service.state, account),
        "shortest": SHORTEST_PASSWORD,
        "services": sorted(ALL_SERVICES),
        "app_passwords": await service.app_passwords.of_account(account.account_id),
        "sessions": await service.signed_in.web_logins.sessions.of_account(account.account_id, now=now),
        "own": visit.who.session.session_id,
        "quota": await quota_of_root(service.mail_of(account), OWN_ROOT),
        "profile": f"/profile.mobileconfig?emailaddress={quote(account.login)}",
        "takes_phones": takes_programs(service.settings_of(parse_address(account.login).domain)),
    }
    return page("account.html", values, status=status)


def sentence(refused: DomainError) -> str:
    return f"{refused.detail[:1].upper()}{refused.detail[1:]}."


def takes_programs(settings: ClientSettings | None) -> bool:
    """Whether one could both read and send."""
    return settings is not None and settings.imap is not None and settings.submission is not None
