"""A plan with what its execution needs, and what is needed of a loaded spec to make one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mailstack.model.instant import Instant
from mailstack.model.resource import Kind
from mailstack.reconcile.diff import Step
from mailstack.reconcile.dns.publish import DnsWork
from mailstack.reconcile.dns.survey import Survey
from mailstack.reconcile.dns.targets import DnsContext
from mailstack.reconcile.plan import Plan
from mailstack.spec.faults import Fault
from mailstack.spec.faults import Path as SpecPath
from mailstack.spec.model import Spec


class LoadedSpec(Protocol):
    """What is needed of spec.load.LoadedSpec; digest: SHA-256 over all files read."""

    @property
    def spec(self) -> Spec: ...

    @property
    def path(self) -> Path: ...

    @property
    def digest(self) -> str: ...

    @property
    def scripts(self) -> Mapping[Path, str]: ...

    def fault(self, path: SpecPath, message: str) -> Fault: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and what its execution needs that nobody is shown. survey: what DNS shows of what people publish.
    again_at: when the same spec may ask for something else, None where only a change can."""

    plan: Plan
    context: DnsContext = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    dns: DnsWork = field(repr=False)
    survey: Survey = field(default_factory=Survey, repr=False)
    again_at: Instant | None = None

    @property
    def changes_services(self) -> bool:
        """Something that a running server looks at; what is in DNS alone it does not."""
        return any(step.wanted.resource.kind not in (Kind.DNS_ZONE, Kind.DMARC) for step in self.steps)

    @property
    def is_done(self) -> bool:
        """Nothing is to do, down to the record of which spec was applied."""
        return self.plan.is_empty and self.context.live.spec_hash == self.plan.spec_hash
