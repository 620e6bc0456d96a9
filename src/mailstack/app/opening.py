"""What a server begins with: the spec it was given or, where that is refused, what was applied last.

A machine that starts again must serve mail, whatever became of the spec meanwhile; a reload refuses the same specs.
"""

import asyncio
import pwd
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from mailstack.app.apply_process import ApplyProcess
from mailstack.app.blueprint import Blueprint, from_json
from mailstack.app.faults import ApplyBroken, CannotServe, SpecFaulty
from mailstack.app.messages import Applied, Job, Loaded
from mailstack.app.sockets import Bound, bind, endpoints_of, give_up
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import is_made
from mailstack.model.errors import DomainError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """refusal: why the spec was not applied; then loaded only says what to watch."""

    loaded: Loaded
    applied: Applied
    blueprint: Blueprint
    bound: Bound
    refusal: CannotServe | None = None


class Opener:
    """take_storage: called once, before anything of the storage is opened. user: whom the applier runs as."""

    def __init__(self, job: Job, user: pwd.struct_passwd | None, take_storage: Callable[[StoreAddress], None]) -> None:
        self._job = job
        self._user = user
        self._take_storage = take_storage

    async def open(self, applying: ApplyProcess) -> Opening:
        """Raises CannotServe or OSError; then no socket is left open."""
        loaded: Loaded | None = None
        try:
            loaded = await applying.loaded()
            self._take_storage(StoreAddress.from_json(loaded.storage))
            return await self._apply(applying, loaded)
        except (SpecFaulty, ApplyBroken) as refusal:
            await applying.end()
            found = None if self._job.sandbox is not None else await self._last_applied(loaded, refusal)
            if found is None:
                raise
            return found

    async def _apply(self, applying: ApplyProcess, loaded: Loaded) -> Opening:
        bound = bind(loaded.endpoints, {})
        try:
            applying.go()
            applied = await applying.applied()
            return Opening(loaded=loaded, applied=applied, blueprint=from_json(applied.blueprint), bound=bound)
        except BaseException:
            give_up(bound)
            raise

    async def _last_applied(self, loaded: Loaded | None, refusal: CannotServe) -> Opening | None:
        """None when nothing was ever applied there. loaded: what the spec said, where it could be read."""
        job = replace(self._job, last_applied=True, storage=loaded.storage if loaded else None)
        reading = ApplyProcess.start(job, user=self._user)
        try:
            found = await reading.loaded()
            storage = StoreAddress.from_json(found.storage)
            if not await asyncio.to_thread(is_made, storage):
                return None
            if loaded is None:
                self._take_storage(storage)
            reading.go()
            applied = await reading.applied()
        except (ApplyBroken, DomainError) as fault:
            log.error("what was applied last cannot be read", reason=str(fault))
            return None
        finally:
            await reading.end()
        blueprint = from_json(applied.blueprint)
        if not blueprint.generation:
            return None
        bound = bind(endpoints_of(blueprint.listeners), {})
        return Opening(loaded=loaded or found, applied=applied, blueprint=blueprint, bound=bound, refusal=refusal)


def log_refusal(event: str, fault: CannotServe | OSError) -> None:
    """One line for each fault of a spec, and one that says what follows from them."""
    if not isinstance(fault, SpecFaulty):
        log.error(event, reason=str(fault))
        return
    for line in fault.lines:
        log.error("fault in the spec", fault=line)
    log.error(event, faults=len(fault.lines))
