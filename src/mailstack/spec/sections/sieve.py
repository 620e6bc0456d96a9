"""`sieve` and `accounts.*.sieve`: Sieve scripts that the spec names. Whether they compile is spec.check_sieve's."""

import posixpath
import unicodedata
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mailstack.spec.sections.section import Section

MAX_SCRIPTS = 16
MAX_PATH_OCTETS = 1_024
MAX_NAME_OCTETS = 512


def parse_script_path(value: object) -> Path:
    """Relative to the spec's folder, without `.` and `..`: a script is sent along with the spec that names it."""
    wanted = "a relative path below the folder of the spec, without hidden parts (such as sieve/alice.sieve)"
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"not the file of a script: {wanted}")
    path = Path(posixpath.normpath(value))
    if path.is_absolute() or any(part.startswith(".") for part in path.parts) or not path.parts:
        raise ValueError(f"not the file of a script: {wanted}")
    if len(str(path).encode()) > MAX_PATH_OCTETS:
        raise ValueError(f"a path of over {MAX_PATH_OCTETS} octets")
    return path


def parse_script_name(text: str) -> str:
    # RFC 5804 §1.6: no control characters, and no more than 512 octets.
    if not text or not text.isprintable() or len(text.encode()) > MAX_NAME_OCTETS:
        raise ValueError(f"not the name of a script (up to {MAX_NAME_OCTETS} octets of printable text)")
    return unicodedata.normalize("NFC", text)


ScriptPath = Annotated[Path, BeforeValidator(parse_script_path), WithJsonSchema({"type": "string", "minLength": 1})]
ScriptName = Annotated[str, AfterValidator(parse_script_name)]


class ScriptFile(Section):
    file: ScriptPath = Field(
        description="A file of Sieve (RFC 5228), up to 64 KiB; relative to this one, and below the folder of the spec."
        " It is part of the spec: saving it is enough."
    )


ScriptFiles = Annotated[tuple[ScriptFile, ...], Field(max_length=MAX_SCRIPTS)]


class Sieve(Section):
    """Scripts of the server itself."""

    before: ScriptFiles = Field(
        default=(), description="Run for every account, in this order, before the account's own script."
    )
    after: ScriptFiles = Field(
        default=(), description="Run for every account whose own script leaves the mail where it was, in this order."
    )
    global_: dict[ScriptName, ScriptFile] = Field(
        default={},
        alias="global",
        description="By name: scripts that all others may include (include :global NAME, RFC 6609).",
    )
