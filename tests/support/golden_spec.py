"""The golden specs of tests/data/spec, and a loaded spec in a form that a file can hold."""

import json
import os
from pathlib import Path

from pydantic import SecretStr

from mailstack.spec.load import LoadedSpec
from mailstack.spec.sections.storage import Storage

DATA = Path(__file__).parent.parent / "data" / "spec"
FAULTS = sorted(path.parent for path in (DATA / "faults").glob("*/spec.yaml"))
GOOD = sorted(path.parent for path in (DATA / "good").glob("*/spec.yaml"))


def agrees(golden: Path, found: str) -> bool:
    """MAILSTACK_GOLDEN=write renews the file instead; read what git says of it before it is committed."""
    if os.environ.get("MAILSTACK_GOLDEN") == "write":
        golden.write_text(found, encoding="utf-8")
    return golden.read_text(encoding="utf-8") == found


def json_text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def parsed(loaded: LoadedSpec) -> object:
    """Plain JSON; secrets as they stand in the spec, for these are made up; paths relative to the spec's folder.

    What a spec does not say is left out, but for the one case that is about defaults: a new key changes one file.
    """
    is_about_defaults = loaded.directory.name == "defaults"
    return _plain(
        {
            "files": [str(path.relative_to(loaded.directory)) for path in loaded.files],
            "spec": loaded.spec.model_dump(mode="json", by_alias=True, exclude_defaults=not is_about_defaults),
            "secrets": _secrets(loaded),
        },
        str(loaded.directory.absolute()),
    )


def _secrets(loaded: LoadedSpec) -> dict[str, str]:
    spec = loaded.spec
    found = {address: account.password for address, account in spec.accounts.items()}
    found |= {f"relay {name}": relay.password for name, relay in spec.relays.items()}
    found |= {f"relay {name} username": relay.username for name, relay in spec.relays.items()}
    found |= {f"certificate {pair.certificate.name}": pair.key for pair in spec.tls.files}
    if spec.tls.acme.eab is not None:
        found["external account"] = spec.tls.acme.eab.key
    found |= _storage_secrets(spec.storage)
    for domain in spec.domains.values():
        found |= {f"dkim {key.selector}": key.private_key for key in domain.dkim.keys}
    return {name: secret.get_secret_value() for name, secret in found.items() if secret}


def _storage_secrets(storage: Storage) -> dict[str, SecretStr | None]:
    found = {"database": storage.database}
    if storage.blobs is not None:
        found |= {"s3 access key": storage.blobs.s3.access_key, "s3 secret key": storage.blobs.s3.secret_key}
    if storage.events is not None:
        events = storage.events
        found |= {"events username": events.username, "events password": events.password, "events token": events.token}
    return found


def _plain(value: object, folder: str) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, folder) for inner in value]
    return value.replace(folder, "FOLDER") if isinstance(value, str) else value
