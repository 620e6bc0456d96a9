"""Whether the addresses of a spec hold together: domains, owners, aliases, forwards, lists, catch-alls."""

from collections.abc import Iterator, Mapping, Sequence, Set

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.outline import Claim, DomainEntry, ForwardEntry, Named, Outline

MOST_STEPS = 8
"""Of a circle that is shown; a longer one is cut, or every one of a thousand faults would tell a thousand names."""


def check_addresses(document: Document, spec: Outline) -> Iterator[Fault]:
    book = AddressBook(spec)
    yield from _domain_names(document, spec)
    for domain in spec.domains:
        yield from _domain_alias(document, book, domain)
        yield from _catch_all(document, book, domain)
        yield from _lost(document, book, domain.reports_to)
        yield from _spf_of_itself(document, domain)
    yield from _claims(document, book, spec)
    for _, targets in spec.aliases:
        yield from _undeclared(document, book, targets)
    for forward in spec.forwards:
        yield from _forward(document, book, forward)
    yield from _circles(document, book, spec)
    yield from _lists(document, book, spec)


class AddressBook:
    """Finds out who would get mail to an address, the way the server will."""

    def __init__(self, spec: Outline) -> None:
        self.domains: Mapping[str, DomainEntry] = {domain.name: domain for domain in reversed(spec.domains)}
        self.domain_names = Vocabulary(self.domains)
        self._owned = frozenset(claim.address for claim in spec.claims)
        self._addresses = Vocabulary(self._owned)
        self._deaf = frozenset(claim.address for claim in spec.claims if claim.is_deaf)
        self._logins = {claim.address: claim.login for claim in spec.claims if claim.login}

    def is_local(self, address: str) -> bool:
        return address.rpartition("@")[2] in self.domains

    def owner_of(self, address: str) -> str | None:
        """The owned address that mail to this one reaches, by itself, by its domain's target or without its detail."""
        local_part, _, name = address.rpartition("@")
        domain = self._target(name)
        if domain is None:
            return None
        cuts = [at for at in map(local_part.find, domain.separators) if at > 0]
        plain = local_part[: min(cuts)] if cuts else local_part
        for candidate in (f"{local_part}@{domain.name}", f"{plain}@{domain.name}"):
            if candidate in self._owned:
                return candidate
        return None

    def account_of(self, address: str) -> str | None:
        """The login of the account whose address mail to this one reaches."""
        owner = self.owner_of(address)
        return self._logins.get(owner) if owner else None

    def is_deaf(self, login: str) -> bool:
        return login in self._deaf

    def why_lost(self, address: str) -> str:
        """Why mail to it would be refused; "" where somebody gets it, here or elsewhere."""
        domain = self._target(address.rpartition("@")[2])
        return "" if domain is None or self.is_caught(address) else self.why_unowned(address)

    def is_caught(self, address: str) -> bool:
        """Nobody has the address, and the catch_all of its domain takes the mail."""
        domain = self._target(address.rpartition("@")[2])
        return domain is not None and domain.catch_all is not None and self.owner_of(address) is None

    def why_unowned(self, address: str) -> str:
        """As why_lost, for an address of this server that no catch_all may stand in for."""
        owner = self.owner_of(address)
        if owner in self._deaf:
            return f"leads nowhere: {owner} takes no mail (its `can` has no receive)"
        if owner:
            return ""
        return f"leads nowhere: nobody here has the address {address}{did_you_mean(self._addresses, address)}"

    def _target(self, name: str) -> DomainEntry | None:
        domain = self.domains.get(name)
        if domain and domain.alias_of:
            return self.domains.get(domain.alias_of.name)
        return domain


def _domain_names(document: Document, spec: Outline) -> Iterator[Fault]:
    first: dict[str, DomainEntry] = {}
    for domain in spec.domains:
        earlier = first.setdefault(domain.name, domain)
        if earlier is not domain:
            place = document.place(earlier.path, at_key=True)
            yield document.fault(domain.path, f"the same domain as at {place}", at_key=True)


def _domain_alias(document: Document, book: AddressBook, domain: DomainEntry) -> Iterator[Fault]:
    wanted = domain.alias_of
    if not wanted:
        return
    target = book.domains.get(wanted.name)
    loop = _domain_loop(book, domain)
    if target is None:
        hint = did_you_mean(book.domain_names, wanted.name)
        yield document.fault(wanted.path, f"the domain {wanted.name} is not declared in domains{hint}")
    elif loop:
        yield document.fault(wanted.path, f"domains are aliases of each other: {' → '.join(loop)}")
    elif target.alias_of:
        yield document.fault(wanted.path, f"{wanted.name} is an alias itself; did you mean {target.alias_of.name}?")
    if domain.catch_all:
        yield document.fault(domain.catch_all.path, f"a domain alias has the catch_all of its target ({wanted.name})")


def _domain_loop(book: AddressBook, domain: DomainEntry) -> list[str]:
    """From the domain back to itself, or nothing. A long way round is left to the rule that aliases have no aliases."""
    chain = [domain.name]
    current: DomainEntry | None = domain
    while current and current.alias_of and len(chain) <= MOST_STEPS:
        chain.append(current.alias_of.name)
        if current.alias_of.name == domain.name:
            return chain
        current = book.domains.get(current.alias_of.name)
    return []


def _catch_all(document: Document, book: AddressBook, domain: DomainEntry) -> Iterator[Fault]:
    target = domain.catch_all
    if not target or domain.alias_of:
        return
    if not book.is_local(target.name):
        yield document.fault(target.path, "a catch_all is an address of this server (an alias may lead elsewhere)")
    elif reason := book.why_unowned(target.name):
        yield document.fault(target.path, reason)


def _spf_of_itself(document: Document, domain: DomainEntry) -> Iterator[Fault]:
    for other in domain.spf_includes:
        if other.name == domain.name:
            # RFC 7208 §4.6.4: such a record is looked up until the limit is reached, and then an error.
            yield document.fault(other.path, "the domain's SPF record would include itself")


def _lost(document: Document, book: AddressBook, targets: tuple[Named, ...]) -> Iterator[Fault]:
    for target in targets:
        if reason := book.why_lost(target.name):
            yield document.fault(target.path, reason)


def _undeclared(document: Document, book: AddressBook, targets: tuple[Named, ...]) -> Iterator[Fault]:
    """A slip in an alias's target must not vanish in somebody's catch_all."""
    for target in targets:
        if book.is_caught(target.name):
            yield document.fault(target.path, f"{book.why_unowned(target.name)} (a catch_all does not count)")
        elif reason := book.why_lost(target.name):
            yield document.fault(target.path, reason)


def _forward(document: Document, book: AddressBook, forward: ForwardEntry) -> Iterator[Fault]:
    login = forward.login.name
    if book.is_deaf(login):
        yield document.fault(forward.path, "the account takes no mail that could go on (its `can` has no receive)")
    for target in forward.targets:
        if book.account_of(target.name) == login:
            advice = "keep: true has it keep a copy"
            yield document.fault(target.path, f"{login} would forward to itself ({advice})")
    yield from _undeclared(document, book, forward.targets)


def _claims(document: Document, book: AddressBook, spec: Outline) -> Iterator[Fault]:
    first: dict[str, Claim] = {}
    for claim in spec.claims:
        earlier = first.setdefault(claim.address, claim)
        if earlier is not claim:
            place = document.place(earlier.path, at_key=_is_key(earlier))
            message = f"{claim.address} belongs to {earlier.holder} already ({place})"
            yield document.fault(claim.path, message, at_key=_is_key(claim))
        name = claim.address.rpartition("@")[2]
        domain = book.domains.get(name)
        if domain is None and spec.domains:
            hint = did_you_mean(book.domain_names, name)
            message = f"the domain {name} is not declared in domains{hint}"
            yield document.fault(claim.path, message, at_key=_is_key(claim))
        elif domain and domain.alias_of:
            message = f"{name} is an alias of {domain.alias_of.name} and has no addresses of its own"
            yield document.fault(claim.path, message, at_key=_is_key(claim))


def _is_key(claim: Claim) -> bool:
    return len(claim.path) == 2


def _circles(document: Document, book: AddressBook, spec: Outline) -> Iterator[Fault]:
    """Each once, at the alias of it that stands first, or else at the first account that keeps nothing of what it
    forwards. One that keeps a copy ends the circle: two people may stand in for each other."""
    forwards = {forward.login.name: forward for forward in spec.forwards if not forward.keep}
    following = _graph(book, spec, forwards)
    paths = {login: forward.path for login, forward in forwards.items()}
    paths.update((alias.name, alias.path) for alias, _ in reversed(spec.aliases))
    finished: set[str] = set()
    for start in following:
        for loop in _loops_from(start, following, finished):
            is_forwarded = not forwards.keys().isdisjoint(loop)
            message = (
                "forwards lead in a circle in which nobody keeps the mail"
                if is_forwarded
                else "aliases lead in a circle"
            )
            at_key = loop[0] not in forwards
            yield document.fault(paths[loop[0]], f"{message}: {_shown(loop)}", at_key=at_key)


def _lists(document: Document, book: AddressBook, spec: Outline) -> Iterator[Fault]:
    reach = _Reach(book, spec)
    for each in spec.lists:
        for addresses, what in ((each.members, "members"), (each.owners, "owners")):
            yield from _undeclared(document, book, addresses)
            yield from _twice(document, addresses)
            for address in addresses:
                if found := reach.list_behind(address.name):
                    # What is posted to the one would have to be posted to the other by its own rules.
                    message = (
                        f"{address.name} leads to the list {found}; {what} are accounts, aliases or others' addresses"
                    )
                    yield document.fault(address.path, message)


def _twice(document: Document, addresses: tuple[Named, ...]) -> Iterator[Fault]:
    first: dict[str, Named] = {}
    for address in addresses:
        earlier = first.setdefault(address.name, address)
        if earlier is not address:
            yield document.fault(address.path, f"named twice ({document.place(earlier.path)})")


class _Reach:
    """Which list mail to an address comes to in the end."""

    def __init__(self, book: AddressBook, spec: Outline) -> None:
        self._book = book
        self._lists = frozenset(each.name.name for each in spec.lists)
        forwards = {forward.login.name: forward for forward in spec.forwards if not forward.keep}
        self._following = _graph(book, spec, forwards, others=self._lists)

    def list_behind(self, address: str) -> str:
        """ "" where there is none."""
        owner = self._book.account_of(address) or self._book.owner_of(address)
        seen: set[str] = set()
        ahead = [owner] if owner else []
        while ahead:
            name = ahead.pop()
            if name in self._lists:
                return name
            if name not in seen:
                seen.add(name)
                ahead += self._following.get(name, ())
        return ""


def _shown(loop: Sequence[str]) -> str:
    return " → ".join(loop if len(loop) <= MOST_STEPS + 1 else (*loop[:MOST_STEPS], "…", loop[0]))


def _graph(
    book: AddressBook, spec: Outline, forwards: Mapping[str, ForwardEntry], *, others: Set[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """From aliases, and accounts that keep nothing, to those that their mail comes to. forwards: by login. others: what
    may be reached besides them."""
    names = {alias.name for alias, _ in spec.aliases} | others
    leading = [(alias.name, targets) for alias, targets in spec.aliases]
    leading += [(login, forward.targets) for login, forward in forwards.items() if login not in names]
    graph: dict[str, tuple[str, ...]] = {}
    for source, targets in leading:
        reached = (book.account_of(target.name) or book.owner_of(target.name) for target in targets)
        found = (owner for owner in reached if owner in names or (owner in forwards and owner != source))
        graph.setdefault(source, tuple(owner for owner in found if owner is not None))
    return graph


def _loops_from(start: str, graph: Mapping[str, tuple[str, ...]], finished: set[str]) -> Iterator[list[str]]:
    """Each loop from an alias on, as much of it as is shown.

    Depth first without recursion: a chain of ten thousand aliases is legal.
    """
    trail: list[tuple[str, Iterator[str]]] = []
    position: dict[str, int] = {}

    def step_into(name: str) -> None:
        position[name] = len(trail)
        trail.append((name, iter(graph[name])))

    if start not in finished:
        step_into(start)
    while trail:
        name, others = trail[-1]
        following = next((other for other in others if other not in finished), None)
        if following is None:
            trail.pop()
            del position[name]
            finished.add(name)
        elif following in position:
            begin = position[following]
            yield [*(step for step, _ in trail[begin : begin + MOST_STEPS + 1]), following]
        else:
            step_into(following)
