"""What a peer can do wrong in one command. Stays inside wire/managesieve: the machine turns it into an event."""


class SyntaxProblem(Exception):
    """One command breaks the grammar; the connection goes on. text: for the peer, holds none of its bytes."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
