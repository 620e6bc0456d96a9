"""The settings that files of the dialect set, and what they mean for a run."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailstack.sieve.entity import Entity
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Mail
from tests.support.svtest.scores import spam_percent, virus_value

# What files of the dialect expect where they set nothing.
_LIMITS = Limits(actions=32, redirects=4, notifications=10, faults=100, variables=255, match_variables=32)
_STEPS_OF_A_FILE = 10_000_000
_INCLUDES = "sieve_include_max_includes"
_SIZES: dict[str, Callable[[Limits, int], Limits]] = {
    "sieve_max_actions": lambda limits, size: replace(limits, actions=size),
    "sieve_max_redirects": lambda limits, size: replace(limits, redirects=size),
    "sieve_editheader_max_header_size": lambda limits, size: replace(limits, field_octets=size),
    "sieve_notify_max_notifications": lambda limits, size: replace(limits, notifications=size),
    "sieve_include_max_nesting_depth": lambda limits, size: replace(limits, include_depth=size),
    _INCLUDES: lambda limits, size: replace(limits, includes=size),
    "sieve_variables_max_value_size": lambda limits, size: replace(limits, variable_octets=size),
    "sieve_variables_max_variable_size": lambda limits, size: replace(limits, variable_octets=size),
}
_ENVIRONMENT = "sieve_environment/"
_LIST_PREFIX = "urn:ietf:params:sieve:addrbook:"


@dataclass
class Settings:
    values: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, value: str) -> None:
        self.values[name] = value.strip()

    def unset(self, name: str) -> None:
        self.values.pop(name, None)

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def limits(self) -> Limits:
        limits = _LIMITS
        for name, change in _SIZES.items():
            if self.text(name).isdecimal():
                limits = change(limits, int(self.text(name)))
        return replace(
            limits,
            kept_fields=self._fields("forbid_delete", limits.kept_fields),
            unadded_fields=self._fields("forbid_add", limits.unadded_fields),
        )

    def _fields(self, rule: str, otherwise: frozenset[str]) -> frozenset[str]:
        """Of the rules that are named, those that say yes; where none are named, what goes without saying."""
        named = self.text("sieve_editheader_header").split()
        if not named:
            return otherwise
        return frozenset(
            self.text(f"sieve_editheader_header/{one}/name").lower()
            for one in named
            if self.text(f"sieve_editheader_header/{one}/{rule}") == "yes"
        )

    @property
    def limits_of_file(self) -> Limits:
        """Of its own run, not of the scripts that it runs."""
        return replace(self.limits, steps=_STEPS_OF_A_FILE)

    def applied(self, mail: Mail) -> Mail:
        configured = {
            f"vnd.dovecot.config.{name.removeprefix(_ENVIRONMENT)}": value
            for name, value in self.values.items()
            if name.startswith(_ENVIRONMENT)
        }
        return replace(
            mail,
            environment={**mail.environment, **configured},
            addresses=(self.text("sieve_user_email"),) if self.text("sieve_user_email") else (),
            separator=self.values.get("recipient_delimiter", "+"),
            spam_score=spam_percent(self.values, Entity(mail.raw).header),
            virus=virus_value(self.values, Entity(mail.raw).header),
        )

    def has_list(self, name: str) -> bool:
        return _short(name) in self.text("sieve_extlists_list").split()

    def is_listed(self, name: str, value: str) -> bool:
        path = self.text(f"sieve_extlists_list/{_short(name)}/dict/file/path")
        # A file of two lines for each entry: its key, and what it is worth.
        keys = Path(path).read_text().splitlines()[::2] if path else []
        return any(key.rpartition("/")[2].lower() == value.lower() for key in keys)


def _short(name: str) -> str:
    return f":addrbook:{name.removeprefix(_LIST_PREFIX)}" if name.startswith(_LIST_PREFIX) else name
