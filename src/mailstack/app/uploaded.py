"""A spec that somebody sends, held against the machine it came to: it reads nothing here and reaches nobody new.

A token may be good for plans only, and whoever has it must not learn what is in this machine's files, nor have it
load any class or ask any host. So files are those that were sent, and whom the machine asks on behalf of a spec (DNS
providers, name servers) is decided on the machine. Decision 0013.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mailstack.spec.bundle import Bundle, certificate_files
from mailstack.spec.faults import Fault, SpecInvalid
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.secrets import SecretMissing
from mailstack.spec.sections.acme import DIRECTORIES


def load_uploaded(main: Path, own: LoadedSpec, *, is_sandbox: bool) -> LoadedSpec:
    """As if it lay where `own`, the server's spec, does. main: relative, so that faults are told by what the sender
    calls the files. Raises SpecInvalid.

    is_sandbox: nobody is asked anything there, and the storage is its own.
    """
    loaded = load_spec(main)
    faults = [*_strange_files(loaded)]
    storage = _storage(loaded, own)
    if not is_sandbox:
        for strange in (_strange_providers, _strange_name_servers, _strange_authority):
            faults += strange(loaded, own)
        if storage != own.spec.storage.path:
            told = "a server that runs keeps its storage; this would be another one"
            faults.append(loaded.fault(("storage", "path"), told))
    if faults:
        raise SpecInvalid(faults)
    spec = loaded.spec.model_copy(update={"storage": own.spec.storage})
    return replace(loaded, spec=spec, path=own.path)


class Sent:
    """Resolves references to what was sent, and to nothing else."""

    def __init__(self, bundle: Bundle) -> None:
        self._secrets = bundle.secrets

    def __call__(self, reference: str, _directory: Path) -> str:
        try:
            return self._secrets[reference]
        except KeyError:
            raise SecretMissing(f"the secret {reference} was not sent, and the server has none in its place") from None


def _strange_files(loaded: LoadedSpec) -> Iterator[Fault]:
    folder = loaded.path.absolute().parent
    for place, path in certificate_files(loaded):
        if not path.is_relative_to(folder) or ".." in path.parts:
            told = "a path of the server's own; in a spec that is sent, files lie below the spec's folder"
            yield loaded.fault(place, told)


def _strange_providers(loaded: LoadedSpec, own: LoadedSpec) -> Iterator[Fault]:
    known = list(own.spec.dns.providers.values())
    for name, provider in loaded.spec.dns.providers.items():
        if provider not in known:
            told = (
                "is not among the providers of the server's own spec, key by key; which hosts and classes a server"
                " uses is decided on the machine: put the entry into the spec there and apply it once"
            )
            yield loaded.fault(("dns", "providers", name), told)


def _strange_name_servers(loaded: LoadedSpec, own: LoadedSpec) -> Iterator[Fault]:
    for name, zone in loaded.spec.dns.zones.items():
        known = own.spec.dns.zones.get(name)
        if zone.nameservers and (known is None or known.nameservers != zone.nameservers):
            told = "are not those of the server's own spec; whom a server asks is decided on the machine"
            yield loaded.fault(("dns", "zones", name, "nameservers"), told)


def _strange_authority(loaded: LoadedSpec, own: LoadedSpec) -> Iterator[Fault]:
    """A directory's URL is a host to ask, and what proves an account there is a secret of this machine."""
    acme, known = loaded.spec.tls.acme, own.spec.tls.acme
    if acme.directory in DIRECTORIES and acme.eab is None:
        return
    if (acme.directory, acme.eab) != (known.directory, known.eab):
        told = "is not the one of the server's own spec; which authorities a server asks is decided on the machine"
        yield loaded.fault(("tls", "acme", "directory"), told)


def _storage(loaded: LoadedSpec, own: LoadedSpec) -> Path:
    """A relative path is meant from the folder that the spec will lie in."""
    path, folder = loaded.spec.storage.path, loaded.path.absolute().parent
    return own.path.absolute().parent / path.relative_to(folder) if path.is_relative_to(folder) else path
