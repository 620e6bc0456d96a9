"""`${env.…}`: items of `environment` as variables, and Dovecot's own among them. Dovecot's `vnd.dovecot.environment`.

Whoever runs a script says what they are: vnd.dovecot.username, vnd.dovecot.default-mailbox, vnd.dovecot.config.….
"""

from collections.abc import Callable

from mailstack.sieve.language import Extension
from mailstack.sieve.run import Run


def _item(name: str) -> Callable[[Run], str]:
    """A variable has no hyphen in its name, and an item does. One that is not known is empty, as variables are."""
    wanted = name.lower()

    def item(run: Run) -> str:
        return next((text for key, text in run.mail.environment.items() if key.replace("-", "_") == wanted), "")

    return item


EXTENSION = Extension(name="vnd.dovecot.environment", implies=("environment",), read_only={"env": _item})
