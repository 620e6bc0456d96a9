"""Secrets by reference, in octoDNS's notation: `env/NAME` and `file/PATH`.

They are read when a plan is made, on the machine that makes it; no value of one ever stands in a message.
"""

import os
import re
from pathlib import Path

MAX_SECRET_BYTES = 64 * 1024

_REFERENCE = re.compile(r"env/[A-Za-z_][A-Za-z0-9_]*|file/[^\x00\r\n]+")


class SecretMissing(Exception):
    """A reference that leads to nothing usable; str() is one sentence that names the thing."""


def is_reference(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def resolve(reference: str, directory: Path) -> str:
    """The secret itself, without one closing newline. directory: where relative paths start. Raises SecretMissing."""
    source, _, name = reference.partition("/")
    if source == "env":
        secret = _from_environment(name)
    elif source == "file":
        secret = _from_file(directory / name)
    else:
        raise SecretMissing("a secret is referred to as env/NAME or file/PATH")
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretMissing(f"the secret {reference} is empty")
    return secret


def _from_environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise SecretMissing(f"the environment variable {name} is not set") from None


def _from_file(path: Path) -> str:
    try:
        # Opening a FIFO would wait for whoever writes to it.
        if path.exists() and not path.is_file():
            raise SecretMissing(f"the secret file {path} is not a regular file")
        with path.open("rb") as stream:
            content = stream.read(MAX_SECRET_BYTES + 1)
    except OSError as fault:
        raise SecretMissing(f"the secret file {path} cannot be read: {fault.strerror or fault}") from None
    if len(content) > MAX_SECRET_BYTES:
        raise SecretMissing(f"the secret file {path} is over {MAX_SECRET_BYTES // 1024} KiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretMissing(f"the secret file {path} is not UTF-8 text") from None
