"""octoDNS providers from the spec's dns.providers: the class by its path, the settings as they are, secrets read."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from octodns.provider.base import BaseProvider

from mailstack.model.errors import Invalid
from mailstack.reconcile.dns.octo import OctoProvider
from mailstack.reconcile.dns.readable import shield
from mailstack.reconcile.dns.root_ns import note_root_ns
from mailstack.reconcile.dns.unsaid import keep_unsaid, without
from mailstack.reconcile.wanted import FaultAt, Resolve
from mailstack.spec.faults import Fault, SpecInvalid, path_text
from mailstack.spec.faults import Path as SpecPath
from mailstack.spec.secrets import SecretMissing, is_reference
from mailstack.spec.sections.domains import Provider

EXTRAS = (
    "azure",
    "cloudflare",
    "desec",
    "digitalocean",
    "gandi",
    "googlecloud",
    "hetzner",
    "ovh",
    "powerdns",
    "route53",
)
"""Provider families that `pip install mailstack[…]` brings; pyproject.toml has the packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Of the entry in the spec. directory: the spec's folder."""

    resolve: Resolve
    directory: Path
    fault_at: FaultAt


def build_provider(name: str, provider: Provider, around: Surroundings) -> OctoProvider:
    """Raises SpecInvalid that says what of the entry is wrong, Invalid for what the provider itself says."""
    place: SpecPath = ("dns", "providers", name)
    settings, secrets = _settings(place, provider, around)
    directory = around.directory
    try:
        provider_class = _class(provider.class_)
    except Invalid as fault:
        raise SpecInvalid([around.fault_at((*place, "class"), fault.detail)]) from fault
    if isinstance(settings.get("directory"), str):
        settings["directory"] = str(directory / str(settings["directory"]))
    try:
        built: OctoProvider = provider_class(name, **settings)
    except TypeError as fault:
        told = f"{provider.class_} does not take these settings: {_told(fault)}"
        raise SpecInvalid([around.fault_at(place, told)]) from fault
    except Exception as fault:  # a provider's constructor may call out and raise whatever its library raises
        told = without(secrets, f"{type(fault).__name__}: {fault}")
        raise Invalid(f"{path_text(place)}: {provider.class_}: {told}") from fault
    shield(built)
    note_root_ns(built)
    keep_unsaid(built, secrets)
    return built


def declared_types(path: str) -> frozenset[str] | None:
    """Record types that a provider's class says it can publish, without making one. None where it does not say."""
    try:
        declared = getattr(_class(path), "SUPPORTS", None)
    except Invalid:
        return None
    return frozenset(declared) if isinstance(declared, set | frozenset) else None


def _class(path: str) -> type:
    """Raises Invalid."""
    module_name, _, class_name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ModuleNotFoundError as fault:
        package = module_name.partition(".")[0]
        if fault.name and fault.name.partition(".")[0] != package:
            raise Invalid(f"{path} needs the Python package {fault.name}") from fault
        raise Invalid(f"the Python package {package} is not installed{_hint(package)}") from fault
    if not isinstance(found, type):
        raise Invalid(f"{module_name} has no class {class_name}")
    # Before anything is called: a plan must not run whatever class a spec names.
    if not issubclass(found, BaseProvider):
        raise Invalid(f"{path} is no octoDNS provider that can be written to")
    return found


def _hint(package: str) -> str:
    family = package.removeprefix("octodns_")
    if family in EXTRAS:
        return f" (pip install 'mailstack[{family}]')"
    if package.startswith("octodns_"):
        return f" (pip install {package.replace('_', '-')})"
    return ""


def _settings(place: SpecPath, provider: Provider, around: Surroundings) -> tuple[dict[str, object], list[str]]:
    """With the secrets among them. Raises SpecInvalid with every one that is missing."""
    faults: list[Fault] = []
    secrets: list[str] = []

    def read(path: SpecPath, value: object) -> object:
        if isinstance(value, dict):
            return {key: read((*path, key), item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [read((*path, index), item) for index, item in enumerate(value)]
        if not isinstance(value, str) or not is_reference(value):
            return value
        try:
            secrets.append(around.resolve(value, around.directory))
        except SecretMissing as missing:
            faults.append(around.fault_at(path, str(missing)))
            return ""
        return secrets[-1]

    settings = {key: read((*place, key), value) for key, value in provider.settings.items()}
    if faults:
        raise SpecInvalid(faults)
    return settings, secrets


def _told(fault: TypeError) -> str:
    """Python's own words, without the method's name."""
    return str(fault).rpartition("__init__() ")[2]
