"""What a peer can do wrong. SyntaxProblem stays inside wire/imap: the machine turns it into an event."""


class SyntaxProblem(Exception):
    """One command breaks the grammar; the connection goes on. text: for the peer, holds none of its bytes."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class RefusedProblem(SyntaxProblem):
    """The grammar holds, and the server cannot do it. code: a response code of RFC 9051 §7.1, with its arguments."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
