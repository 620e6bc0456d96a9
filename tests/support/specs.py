"""Specs as values, for tests that need no file."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailstack.spec.faults import Fault, Place, fault_at
from mailstack.spec.faults import Path as SpecPath
from mailstack.spec.model import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecValue:
    """Stands where a spec.load.LoadedSpec is wanted."""

    spec: Spec
    path: Path
    digest: str
    scripts: Mapping[Path, str] = field(default_factory=dict)

    def fault(self, path: SpecPath, message: str) -> Fault:
        return fault_at(Place(str(self.path), 1, 1), path, message)


def spec_value(settings: Mapping[str, object], path: Path = Path("/nowhere/mailstack.yaml")) -> SpecValue:
    """settings: as the YAML would hold them; server and domains have defaults. Each script tells what it is called."""
    whole = {"server": {"hostname": "mail.example.com"}, "domains": {"example.com": {}}, **settings}
    text = json.dumps(whole, sort_keys=True)
    spec = Spec.model_validate(_as_loaded(whole))
    return SpecValue(
        spec=spec,
        path=path,
        digest=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        scripts={file: f"# {file}\nkeep;\n" for file in _scripts_of(spec)},
    )


def _scripts_of(spec: Spec) -> Iterator[Path]:
    for account in spec.accounts.values():
        if account.sieve is not None:
            yield account.sieve.file
    for script in (*spec.sieve.before, *spec.sieve.after, *spec.sieve.global_.values()):
        yield script.file


def _as_loaded(value: object) -> object:
    """Lists as the loader gives them."""
    if isinstance(value, Mapping):
        return {key: _as_loaded(item) for key, item in value.items()}
    return tuple(_as_loaded(item) for item in value) if isinstance(value, list | tuple) else value
