"""What a form of the account page says. Forms are sent by our own pages alone, as urlencoded text."""

from urllib.parse import parse_qs

from starlette.requests import Request

from mailstack.servers.http.problem import BAD_REQUEST, Refused

MAX_BODY_BYTES = 16 * 1024
_MOST_FIELDS = 20


class Form:
    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Raises Refused where it is not there once."""
        values = self._fields.get(name, [])
        if len(values) != 1:
            raise Refused(BAD_REQUEST)
        return values[0]

    def all(self, name: str) -> list[str]:
        return self._fields.get(name, [])


async def form_of(request: Request) -> Form:
    """Raises Refused."""
    try:
        text = (await request.body()).decode("ascii")
        fields = parse_qs(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Refused(BAD_REQUEST) from None
    return Form(fields)
