"""Specs as values, for tests that need no file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
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

    def fault(self, path: SpecPath, message: str) -> Fault:
        return fault_at(Place(str(self.path), 1, 1), path, message)


def spec_value(settings: Mapping[str, object], path: Path = Path("/nowhere/mailstack.yaml")) -> SpecValue:
    """settings: as the YAML would hold them; server and domains have defaults."""
    whole = {"server": {"hostname": "mail.example.com"}, "domains": {"example.com": {}}, **settings}
    text = json.dumps(whole, sort_keys=True)
    spec = Spec.model_validate(_as_loaded(whole))
    return SpecValue(spec=spec, path=path, digest=hashlib.sha256(text.encode("utf-8")).hexdigest())


def _as_loaded(value: object) -> object:
    """Lists as the loader gives them."""
    if isinstance(value, Mapping):
        return {key: _as_loaded(item) for key, item in value.items()}
    return tuple(_as_loaded(item) for item in value) if isinstance(value, list | tuple) else value
