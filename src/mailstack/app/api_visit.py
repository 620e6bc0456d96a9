"""A spec that was sent to the API, beside the server's own: unpacked, read, and with the reconciler that is fit for it.

Nothing of what was sent is trusted; who calls, and what that token may do, is (the Order).
"""

from dataclasses import dataclass, replace
from pathlib import Path

from mailstack.app.api_models import AllowModel, PlanRequest
from mailstack.app.api_process import Order
from mailstack.app.clock import system_clock
from mailstack.app.received import Delivery, Received, hash_of_main
from mailstack.app.reconcilers import reconciler_of, sandbox_reconciler
from mailstack.app.sandbox import SandboxJob, account_passwords, harmless
from mailstack.app.uploaded import Sent, load_uploaded
from mailstack.model.errors import Conflict, Invalid
from mailstack.model.ids import Generation
from mailstack.ports.store import Store
from mailstack.reconcile.brake import Allowed, allowed_name
from mailstack.reconcile.dns.authoritative import authoritative_dns
from mailstack.reconcile.dns.live import NotAsked
from mailstack.reconcile.dns.targets import NoDns
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.bundle import Bundle, certificate_files, unpack
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.secrets import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What was sent, beside the server's own spec. sent: as it is; loaded: as it runs here, which a sandbox changes.
    The working folder is the one that it is unpacked in."""

    order: Order
    bundle: Bundle
    own: LoadedSpec
    sent: LoadedSpec
    loaded: LoadedSpec
    sandbox: SandboxJob | None

    @classmethod
    def begin(cls, order: Order, request: PlanRequest) -> "Visit":
        """Raises SpecInvalid for faults of what was sent, Conflict for a spec of the server's own that is no help."""
        bundle = Bundle.from_json(request.bundle.model_dump())
        own = own_spec(Path(order.spec))
        try:
            main = unpack(bundle, Path())
        except OSError as fault:
            raise Invalid(f"the files that were sent cannot lie beside each other: {fault.strerror}") from None
        sandbox = SandboxJob.from_json(order.sandbox) if order.sandbox is not None else None
        sent = load_uploaded(main, own, is_sandbox=sandbox is not None)
        return cls(
            order=order,
            bundle=bundle,
            own=own,
            sent=sent,
            loaded=sent if sandbox is None else harmless(sent, sandbox),
            sandbox=sandbox,
        )

    def reconciler(self, store: Store, request: PlanRequest) -> Reconciler:
        if self.sandbox is not None:
            return sandbox_reconciler(store, self.sandbox, account_passwords(self.loaded.spec.accounts, self.sandbox))
        folder = self.own.path.absolute().parent
        found = reconciler_of(store, self.order.store, self.loaded)
        own_dns = self.own.spec.dns
        if request.no_dns:
            found = replace(found, dns=NoDns())
        return replace(
            found,
            # Whose zone it is decides where its NS records lead; whom this server believes, its own spec alone says.
            live_dns=NotAsked()
            if request.no_dns
            else authoritative_dns(self.loaded.spec, resolvers=own_dns.resolvers, trusted=own_dns.zones.keys()),
            brake=replace(found.brake, allowed=allowed_by(request.allow)),
            resolve=Sent(self.bundle),
            resolve_for_dns=lambda reference, _directory: resolve(reference, folder),
            keeps_secrets=True,
            tells_guesses=self.order.may_apply,
        )

    def delivery(self, caller: str, *, base: Generation) -> Delivery:
        if self.own.path.name in self.bundle.files:
            raise Invalid(f"an included file is called {self.own.path.name}, as the main file is on the server")
        return Delivery(
            received=Received(
                digest=self.loaded.digest,
                main_hash=hash_of_main(self.bundle.main.encode()),
                caller=caller,
                at=system_clock(),
            ),
            base=base,
            main=self.own.path,
            files={**self._read_files(), self.own.path.name: self.bundle.main},
            former=self.own.files,
            certificates=tuple(path for _, path in certificate_files(self.own)),
        )

    def _read_files(self) -> dict[str, str]:
        """Without those that were sent for nothing."""
        folder = Path().absolute()
        read = {path.absolute() for path in (*self.sent.files, *(path for _, path in certificate_files(self.sent)))}
        return {name: text for name, text in self.bundle.files.items() if folder / name in read}


def allowed_by(allow: AllowModel) -> Allowed:
    """Raises Invalid for what cannot be a name."""
    return Allowed(
        destroy=tuple(map(allowed_name, allow.destroy)),
        last_admin=allow.last_admin,
        many=allow.many,
        foreign=allow.foreign,
    )


def own_spec(path: Path) -> LoadedSpec:
    """Raises Conflict: whoever sends a spec cannot mend the server's."""
    try:
        return load_spec(path)
    except SpecInvalid as invalid:
        raise Conflict(f"the server's own spec has faults, to be mended there first: {invalid.lines()[0]}") from None
