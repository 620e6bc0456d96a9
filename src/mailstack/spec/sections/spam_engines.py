"""`spam.engines`: programs beside the server that it asks about each mail."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mailstack.spec.sections.section import Section
from mailstack.spec.values import Duration, RelayHost, SecretReference, Size, SocketPath

CLAMD_PORT = 3310
LONGEST_S = 20
_WORKER = re.compile(r"https?://[^/?#\s@]+/?")


def parse_worker(text: str) -> str:
    if not _WORKER.fullmatch(text):
        raise ValueError("not the address of an rspamd worker (such as http://127.0.0.1:11333)")
    return text.rstrip("/")


def check_engine_deadline(deadline: timedelta) -> timedelta:
    if not 1 <= deadline.total_seconds() <= LONGEST_S:
        raise ValueError(f"senders wait meanwhile (1s to {LONGEST_S}s)")
    return deadline


EngineDeadline = Annotated[Duration, AfterValidator(check_engine_deadline)]
_WAITS = "How long it has for a mail, 1s to 20s. What it has not said by then it has not found."


class Rspamd(Section):
    url: Annotated[str, AfterValidator(parse_worker)] = Field(
        description="The address of its worker that scans, http or https.", examples=["http://127.0.0.1:11333"]
    )
    password: SecretReference | None = Field(
        default=None, description="By reference, where it asks for one: env/NAME or file/PATH."
    )
    deadline: EngineDeadline = Field(
        default=timedelta(seconds=10), description=_WAITS, json_schema_extra={"default": "10s"}
    )
    max_points: float = Field(
        default=15,
        ge=0.1,
        le=100,
        description="Its own score counts up to here, and down to -5. It refuses mail at 15 itself, if nobody has set"
        " that otherwise; with less than spam.reject_at here, it refuses nothing alone.",
    )


class Clamav(Section):
    socket: SocketPath | None = Field(
        default=None,
        description="The unix socket of clamd, which the user of mailstack must be allowed to write to.",
        examples=["/run/clamav/clamd.ctl"],
    )
    host: RelayHost | None = Field(default=None, description="In place of socket: its name or address.")
    port: int = Field(default=CLAMD_PORT, ge=1, le=65_535, description="With host.")
    max_size: Size = Field(
        default=25 << 20,
        ge=1 << 10,
        le=1 << 30,
        description="So much of a mail is looked at, from its beginning: no more than its StreamMaxLength.",
        json_schema_extra={"default": "25MiB"},
    )
    deadline: EngineDeadline = Field(
        default=timedelta(seconds=10), description=_WAITS, json_schema_extra={"default": "10s"}
    )
    on_virus: Literal["reject", "junk"] = Field(
        default="reject", description="What becomes of a mail with a virus: it is refused, or goes to Junk."
    )


class Engines(Section):
    rspamd: Rspamd | None = Field(default=None, description="An rspamd server, whose score is part of ours.")
    clamav: Clamav | None = Field(default=None, description="ClamAV's clamd, which finds viruses.")
