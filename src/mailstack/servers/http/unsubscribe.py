"""`/lists/unsubscribe`: the link in a list's mail. A mail program posts to it, a person sees a button first.

GET changes nothing: whatever looks at mail on its way follows its links. RFC 8058 §3.2, §4; RFC 9110 §9.2.1.
"""

from dataclasses import dataclass

from jinja2 import Environment, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mailstack.servers.http.problem import BAD_REQUEST, NO_SUCH_PAGE, Refused
from mailstack.services.lists.copies import LEAVE_PATH, TOKEN
from mailstack.services.lists.lists import Lists

MAX_BODY_BYTES = 16 * 1024
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ name }}</title>
<h1>{{ name }}</h1>
{% if is_done -%}
<p>{{ member }} gets no more mail of this list.</p>
{%- else -%}
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<p>Shall {{ member }} get no more mail of {{ address }}?</p>
<p><button>Unsubscribe</button></p>
</form>
{%- endif %}
</html>
"""
BROKEN = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>This link does not work</title>
<h1>This link does not work</h1>
<p>It has lost a part on its way, or the list is gone. Use that of another mail of the list, or write to its owner.</p>
</html>
"""
_TEMPLATE = Environment(autoescape=True, undefined=StrictUndefined).from_string(PAGE)
# The floor's own, and the form may be sent to this page.
CONTENT_SECURITY = "default-src 'none'; frame-ancestors 'none'; form-action 'self'"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribePage:
    lists: Lists

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(LEAVE_PATH, self.ask, methods=["GET"], max_body_size=0),
            Route(LEAVE_PATH, self.leave, methods=["POST"], max_body_size=MAX_BODY_BYTES),
        )

    async def ask(self, request: Request) -> Response:
        page = await self._page(request, is_done=False)
        # It is people who look; programs post, and get the problem that all others get.
        return HTMLResponse(BROKEN, status_code=NO_SUCH_PAGE.status) if page is None else page

    async def leave(self, request: Request) -> Response:
        # RFC 8058 §3.2: List-Unsubscribe=One-Click, in either of the two forms that a form may be sent in.
        body = await request.body()
        if b"List-Unsubscribe" not in body or b"One-Click" not in body:
            raise Refused(BAD_REQUEST)
        page = await self._page(request, is_done=True)
        if page is None or await self.lists.leave_by(request.query_params.get(TOKEN, "")) is None:
            raise Refused(NO_SUCH_PAGE)
        return page

    async def _page(self, request: Request, *, is_done: bool) -> Response | None:
        """None for a link that is not ours."""
        found = await self.lists.list_named_by(request.query_params.get(TOKEN, ""))
        if found is None:
            return None
        mailing_list, member = found
        text = _TEMPLATE.render(
            name=mailing_list.name or mailing_list.address,
            address=mailing_list.address,
            member=member,
            is_done=is_done,
        )
        return HTMLResponse(text, headers={"content-security-policy": CONTENT_SECURITY})
