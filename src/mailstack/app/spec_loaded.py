"""What a supervisor is told of a spec before it is applied: where to listen and keep mail, which files to watch."""

from collections.abc import Iterator
from pathlib import Path

from mailstack.app.messages import Loaded
from mailstack.app.sockets import Endpoint, endpoints_of
from mailstack.app.store_address import StoreAddress
from mailstack.reconcile.desired import listeners_in
from mailstack.spec.load import LoadedSpec
from mailstack.spec.model import Spec


def loaded_message(loaded: LoadedSpec, storage: StoreAddress, read_at_ns: int) -> Loaded:
    """read_at_ns: when its files began to be read, Unix time."""
    return Loaded(
        storage=storage.to_json(),
        workers=loaded.spec.server.workers,
        endpoints=endpoints_in(loaded.spec),
        watch=[str(file.absolute()) for file in (*loaded.files, *_referenced(loaded))],
        read_at_ns=read_at_ns,
    )


def endpoints_in(spec: Spec) -> tuple[Endpoint, ...]:
    return endpoints_of(listeners_in(spec.server))


def _referenced(loaded: LoadedSpec) -> Iterator[Path]:
    """Files that the spec names: a new password or certificate is a change like any other."""
    spec, folder = loaded.spec, loaded.path.absolute().parent
    secrets = [account.password for account in spec.accounts.values()]
    secrets += [relay.password for relay in spec.relays.values()]
    secrets += [spec.spam.engines.rspamd.password] if spec.spam.engines.rspamd else []
    secrets += [file.key for file in spec.tls.files]
    secrets += [spec.tls.acme.eab.key] if spec.tls.acme.eab else []
    secrets += [key.private_key for domain in spec.domains.values() for key in domain.dkim.keys]
    for secret in secrets:
        source, _, name = secret.get_secret_value().partition("/") if secret is not None else ("", "", "")
        if source == "file":
            yield folder / name
    for file in spec.tls.files:
        yield folder / file.certificate
    if spec.tls.acme.ca is not None:
        yield folder / spec.tls.acme.ca
