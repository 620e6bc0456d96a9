"""SCRAM logins for dialogues: a client whose messages are base64, as protocols carry them."""

from base64 import b64decode, b64encode

from mailstack.wire.sasl.scram_client import ScramClient


class ScramTalk:
    def __init__(self, username: str, password: str, *, end_point: bytes | None = None, knows: bool = False) -> None:
        self._client = ScramClient(username, password, nonce="client+nonce", end_point=end_point, knows_binding=knows)

    def first(self) -> str:
        return b64encode(self._client.first()).decode()

    def final(self, challenge: str) -> str:
        return b64encode(self._client.final(b64decode(challenge))).decode()

    def finish(self, challenge: str) -> None:
        """Raises AuthenticationFailed."""
        self._client.finish(b64decode(challenge))
