"""The golden specs of tests/data/spec, and a loaded spec in a form that a file can hold."""

from pathlib import Path

from mailstack.spec.load import LoadedSpec

DATA = Path(__file__).parent.parent / "data" / "spec"
FAULTS = sorted(path.parent for path in (DATA / "faults").glob("*/spec.yaml"))
GOOD = sorted(path.parent for path in (DATA / "good").glob("*/spec.yaml"))


def parsed(loaded: LoadedSpec) -> object:
    """Plain JSON; secrets as they stand in the spec, for these are made up; paths relative to the spec's folder."""
    return _plain(
        {
            "files": [str(path.relative_to(loaded.directory)) for path in loaded.files],
            "spec": loaded.spec.model_dump(mode="json", by_alias=True),
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
    return {name: secret.get_secret_value() for name, secret in found.items() if secret}


def _plain(value: object, folder: str) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, folder) for inner in value]
    return value.replace(folder, "FOLDER") if isinstance(value, str) else value
