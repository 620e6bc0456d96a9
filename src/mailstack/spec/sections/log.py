"""`log`: how long a node keeps what it has to tell, for `mailstack logs`, `mailstack trace` and the admin pages."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from mailstack.spec.sections.section import Section
from mailstack.spec.values import Duration, Size


def parse_keep(value: object) -> object:
    if value is False or value in ("off", "no", "none", "0s", "0m", "0h", "0d"):
        raise ValueError("null is what keeps none")
    return value


def check_keep(keep: timedelta) -> timedelta:
    if not timedelta(hours=1) <= keep <= timedelta(days=3650):
        raise ValueError("events are kept for 1h to 3650d")
    return keep


class Log(Section):
    """Events are told on standard error whatever stands here. Each node keeps its own, in the folder `log` of its
    storage. They say who wrote to whom and when: keep them no longer than you need them."""

    keep: Annotated[Annotated[Duration, AfterValidator(check_keep)] | None, BeforeValidator(parse_keep)] = Field(
        default=timedelta(days=30),
        description="How long. null keeps none, and what was kept is deleted.",
        json_schema_extra={"default": "30d"},
    )
    max_size: Size = Field(
        default=2 << 30,
        ge=64 << 20,
        le=1 << 50,
        description="The room that they may take on a node; beyond it, the oldest go first. At least 64MiB.",
        json_schema_extra={"default": "2GiB"},
    )
