"""PLAIN: identity and password in one message, read and written. RFC 4616."""

from mailstack.model.delivery import Credentials
from mailstack.model.errors import Invalid
from mailstack.wire.sasl.steps import Broken, Challenge, Step

MAX_PART_OCTETS = 1024
"""RFC 4616 §2 sets no bound; no name and no password of a person is longer."""


class Plain:
    def begin(self, initial: bytes | None) -> Step:
        return Challenge(data=b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Step:
        # RFC 4616 §2: message = [authzid] UTF8NUL authcid UTF8NUL passwd
        parts = response.split(b"\0")
        if len(parts) != 3:
            return Broken(reason="PLAIN needs three parts")
        if max(map(len, parts)) > MAX_PART_OCTETS:
            return Broken(reason="PLAIN with an overlong part")
        try:
            authzid, authcid, password = (part.decode() for part in parts)
        except UnicodeDecodeError:
            return Broken(reason="PLAIN that is not UTF-8")
        if not authcid or not password:
            return Broken(reason="PLAIN without a name or a password")
        # RFC 4616 §2: acting for another identity needs a permission that nobody holds here; passing the authzid over
        # instead would log in as somebody the client did not ask for (CVE-2023-27582).
        if authzid and authzid.casefold() != authcid.casefold():
            return Broken(reason="PLAIN for another identity")
        return Credentials(username=authcid, password=password)


def plain_message(credentials: Credentials) -> bytes:
    """What a client sends. Raises Invalid."""
    # RFC 4616 §2: authcid and passwd are 1*SAFE, which has no NUL.
    if "\0" in credentials.username + credentials.password:
        raise Invalid("credentials must not hold NUL")
    return f"\0{credentials.username}\0{credentials.password}".encode()
