"""LOGIN: asks for a name, then for a password. Never an RFC (draft-murchison-sasl-login-00); Outlook uses it."""

from mailstack.model.delivery import Credentials
from mailstack.wire.sasl.plain import MAX_PART_OCTETS
from mailstack.wire.sasl.steps import Broken, Challenge, Step

# The draft's own prompts are "User Name" and "Password" with a NUL; clients look for these words instead.
_USERNAME = Challenge(data=b"Username:")
_PASSWORD = Challenge(data=b"Password:")


class Login:
    def __init__(self) -> None:
        self._username: str | None = None

    def begin(self, initial: bytes | None) -> Step:
        # RFC 4422 §3.3 gives an initial response to client-first mechanisms only; real clients send the name in it.
        return self.respond(initial) if initial else _USERNAME

    def respond(self, response: bytes) -> Step:
        if not 0 < len(response) <= MAX_PART_OCTETS or b"\0" in response:
            return Broken(reason="LOGIN with an empty, overlong or binary part")
        try:
            text = response.decode()
        except UnicodeDecodeError:
            return Broken(reason="LOGIN that is not UTF-8")
        if self._username is None:
            self._username = text
            return _PASSWORD
        return Credentials(username=self._username, password=text)
