"""The whole spec as one pydantic model; its sections are in spec.sections. It checks each value for itself: what one
value says about another is spec.check's.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from mailstack.spec.sections.accounts import Account, Defaults, Moved
from mailstack.spec.sections.domains import Dns, Domain
from mailstack.spec.sections.lists import ListAddress, MailingList
from mailstack.spec.sections.log import Log
from mailstack.spec.sections.outbound import Relay, Route
from mailstack.spec.sections.receiving import Receiving
from mailstack.spec.sections.section import Bare, OrElse, Section
from mailstack.spec.sections.sending import Sending
from mailstack.spec.sections.server import Reconcile, Server, Tls
from mailstack.spec.sections.sieve import Sieve
from mailstack.spec.sections.spam import OFF, Spam, parse_spam
from mailstack.spec.sections.storage import Storage
from mailstack.spec.sections.tests import SpecTest
from mailstack.spec.values import AddressKey, AddressKeys, DomainName, Name


class Spec(Section):
    """One YAML file, the whole mail server."""

    model_config = ConfigDict(title="mailstack spec")

    api_version: Literal["mailstack/v1"] = Field(
        default="mailstack/v1",
        alias="apiVersion",
        description="The version of this file's format. Older ones are upgraded in memory.",
    )
    include: tuple[str, ...] = Field(
        default=(),
        description="Files whose entries are added to this one: paths or patterns (accounts/*.yaml), relative to this"
        " file. The same key in two files is an error.",
    )
    server: Server = Field(description="The machine: its name, addresses, services and limits.")
    storage: Storage = Field(default=Storage(), description="Where mail and state are kept.")
    tls: Tls = Field(default=Tls(), description="Where certificates come from.")
    dns: Dns = Field(
        default=Dns(),
        description="Who publishes the domains' records. Without it the plan prints them for publishing by hand.",
    )
    domains: dict[DomainName, Bare[Domain]] = Field(
        min_length=1, description="The domains whose mail is received here."
    )
    defaults: Defaults = Field(default=Defaults(), description="What entries have that do not say otherwise.")
    accounts: dict[AddressKey, Bare[Account]] = Field(
        default={}, description="By login address: who logs in and has mailboxes."
    )
    aliases: dict[AddressKey, AddressKeys] = Field(
        default={}, description="Addresses that stand for one or more others, here or elsewhere."
    )
    lists: dict[ListAddress, MailingList] = Field(
        default={}, description="Mailing lists, by their address: what is posted there goes to every member."
    )
    sieve: Sieve = Field(default=Sieve(), description="Sieve scripts that run for every account.")
    moved: tuple[Moved, ...] = Field(
        default=(),
        description="Accounts and domains that have a new name and keep their mail. An entry may stay for good:"
        " what has moved already is passed over.",
    )
    receiving: Receiving = Field(
        default=Receiving(), description="What is asked of mail from strangers before it is taken."
    )
    spam: Annotated[Spam, BeforeValidator(parse_spam), OrElse({"const": OFF})] = Field(
        default=Spam(), description="What is asked of who brings mail, and what becomes of mail that looks like spam."
    )
    sending: Sending = Field(default=Sending(), description="How often mail is tried, and when it is given up.")
    relays: dict[Name, Relay] = Field(
        default={}, description="By a name of your choice: servers that routes send mail through."
    )
    routes: tuple[Route, ...] = Field(
        default=(), description="Which way mail leaves; the first match wins, and what matches none goes direct."
    )
    reconcile: Reconcile = Field(default=Reconcile(), description="How the running server follows this file.")
    log: Log = Field(default=Log(), description="How long each node keeps what it has to tell of its mail.")
    tests: tuple[SpecTest, ...] = Field(
        default=(), description="What this file promises; `mailstack test` proves it, with no server and no network."
    )
