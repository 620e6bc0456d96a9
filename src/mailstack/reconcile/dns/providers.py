"""octoDNS providers from the spec's dns.providers: the class by its path, the settings as they are, secrets read."""

import importlib
from pathlib import Path

from mailstack.model.errors import Invalid
from mailstack.reconcile.dns.octo import OctoProvider
from mailstack.reconcile.dns.readable import shield
from mailstack.reconcile.wanted import Resolve
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


def build_provider(name: str, provider: Provider, *, resolve: Resolve, directory: Path) -> OctoProvider:
    """directory: the spec's folder. Raises Invalid that says which entry is wrong, and how."""
    place = f"dns.providers.{name}"
    provider_class = _class(place, provider.class_)
    settings = {key: _setting(f"{place}.{key}", value, resolve, directory) for key, value in provider.settings.items()}
    if isinstance(settings.get("directory"), str):
        settings["directory"] = str(directory / str(settings["directory"]))
    try:
        built: OctoProvider = provider_class(name, **settings)
    except TypeError as fault:
        raise Invalid(f"{place}: {provider.class_} does not take these settings: {_told(fault)}") from fault
    except Exception as fault:  # a provider's constructor may call out and raise whatever its library raises
        raise Invalid(f"{place}: {provider.class_}: {type(fault).__name__}: {fault}") from fault
    if not callable(getattr(built, "apply", None)):
        raise Invalid(f"{place}.class: {provider.class_} is no octoDNS provider that can be written to")
    shield(built)
    return built


def _class(place: str, path: str) -> type:
    module_name, _, class_name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ModuleNotFoundError as fault:
        package = module_name.partition(".")[0]
        if fault.name and fault.name.partition(".")[0] != package:
            raise Invalid(f"{place}.class: {path} needs the Python package {fault.name}") from fault
        raise Invalid(f"{place}.class: the Python package {package} is not installed{_hint(package)}") from fault
    if not isinstance(found, type):
        raise Invalid(f"{place}.class: {module_name} has no class {class_name}")
    return found


def _hint(package: str) -> str:
    family = package.removeprefix("octodns_")
    if family in EXTRAS:
        return f" (pip install 'mailstack[{family}]')"
    if package.startswith("octodns_"):
        return f" (pip install {package.replace('_', '-')})"
    return ""


def _setting(place: str, value: object, resolve: Resolve, directory: Path) -> object:
    if isinstance(value, dict):
        return {key: _setting(f"{place}.{key}", item, resolve, directory) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_setting(f"{place}[{index}]", item, resolve, directory) for index, item in enumerate(value)]
    if not isinstance(value, str) or not is_reference(value):
        return value
    try:
        return resolve(value, directory)
    except SecretMissing as missing:
        raise Invalid(f"{place}: {missing}") from None


def _told(fault: TypeError) -> str:
    """Python's own words, without the method's name."""
    return str(fault).rpartition("__init__() ")[2]
