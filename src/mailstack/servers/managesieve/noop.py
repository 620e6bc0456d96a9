"""NOOP. RFC 5804 §2.13."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.noop import Noop
from mailstack.wire.managesieve.responses import Code, Condition, Reply


async def run(_session: Session, request: Noop) -> Reply:
    if request.tag is None:
        return ok("NOOP completed")
    return Reply(condition=Condition.OK, text="NOOP completed", code=Code.TAG, code_value=request.tag)
