"""Setting up a phone: a page with codes for its camera, shown once, and the profile that one of them leads to."""

from datetime import timedelta

import structlog
from starlette.requests import Request
from starlette.responses import Response

from mailstack.formats.mobile_import import write_mobile_import
from mailstack.formats.mobileconfig import MEDIA_TYPE, write_mobileconfig
from mailstack.formats.qr_code import write_qr_code
from mailstack.model.address import parse_address
from mailstack.model.errors import Invalid, TooMany
from mailstack.servers.account.forms import Form
from mailstack.servers.account.service import AccountService
from mailstack.servers.account.templating import page
from mailstack.servers.account.visit import Visit, account_page, sentence, takes_programs
from mailstack.servers.http.asked import base_url, peer_host
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused
from mailstack.services.identity.phone_links import LASTS_MS, LINK_OCTETS
from mailstack.services.identity.web_logins import SERVICE

PHONES_PATH = "/account/phones"
PROFILE_PATH = "/account/phone.mobileconfig"
ONCE = "once"
"""In the query: paths stand in the log."""

log = structlog.get_logger()


async def new_phone(visit: Visit, form: Form) -> Response:
    service, account, name = visit.service, visit.who.account, form.one("name").strip()
    address = parse_address(account.login)
    settings = service.settings_of(address.domain)
    if settings is None or not takes_programs(settings):
        raise Refused(NO_SUCH_PAGE)
    random = service.token(LINK_OCTETS)
    try:
        phone, link = await service.phone_links.make(account, name, now=service.clock(), random=random)
    except (Invalid, TooMany) as refused:
        return await account_page(visit, fault=sentence(refused), status=422)
    log.info("phone set up", service=SERVICE, account=account.login, id=phone.app_password.app_password_id)
    url = f"{base_url(visit.request)}{PROFILE_PATH}?{ONCE}={link}"
    to_import = write_mobile_import(settings, address, phone.password, account.name)
    values = {
        "account": account,
        "phone": phone,
        "settings": settings,
        "url": url,
        "minutes": timedelta(milliseconds=LASTS_MS) // timedelta(minutes=1),
        "profile_code": write_qr_code(url),
        "import_code": None if to_import is None else write_qr_code(to_import),
    }
    return page("phone.html", values)


async def give_profile(service: AccountService, request: Request) -> Response:
    """To whoever has the link: the phone is signed in nowhere."""
    if request.method == "HEAD":
        return Response(media_type=MEDIA_TYPE)  # who only looks uses nothing up
    phone = await service.phone_links.follow(request.query_params.get(ONCE, ""), now=service.clock())
    if phone is None:
        return page("phone_over.html", {}, status=410)
    address = parse_address(phone.account.login)
    settings = service.settings_of(address.domain)
    content = None if settings is None else write_mobileconfig(settings, address, phone.password)
    if content is None:
        raise Refused(NO_SUCH_PAGE)
    log.info(
        "profile given",
        service=SERVICE,
        peer=peer_host(request),
        account=phone.account.login,
        id=phone.app_password.app_password_id,
    )
    if service.sign is not None:
        content = service.sign(content)
    name = f'attachment; filename="{address.domain}.mobileconfig"'
    return Response(content, headers={"Content-Disposition": name}, media_type=MEDIA_TYPE)
