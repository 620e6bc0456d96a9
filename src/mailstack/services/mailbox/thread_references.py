"""THREAD=REFERENCES: messages under those that they answer. RFC 5256 §3.

Not the threads that are kept with messages (THREADID): these are made anew of what a search found. Whatever the header
fields say, every message comes out once, no loop comes about, and the time is nearly linear: nothing here recurses,
lists are merged into the largest, and what could lead round in a circle is looked into so often and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.formats.collation import casemap
from mailstack.formats.subject import is_reply_or_forward
from mailstack.model.instant import Instant
from mailstack.model.sorting import Forest

_NOBODY = -1
_STEPS_EACH = 64
_STEPS_AT_LEAST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Threaded:
    """What threading knows of a message. header_id, references: as in MessageDigest."""

    header_id: str
    references: Sequence[str]
    subject: str
    base_subject: str
    sent_at: Instant


def by_references(messages: Sequence[Threaded]) -> Forest:
    """messages: in the order of the mailbox. The numbers in comments are the RFC's steps."""
    links = _linked(messages)
    grove = _Grove(messages, links)
    grove.gather_by_subject()
    return grove.forest()


def by_sent_date(messages: Sequence[Threaded]) -> list[int]:
    """RFC 5256 §2.2: where the dates are the same, the order of the mailbox decides, and sorting keeps it."""
    return sorted(range(len(messages)), key=lambda at: messages[at].sent_at)


class _Links:
    """Who is whose parent. Nodes from `messages` on stand for messages that are only referred to."""

    def __init__(self, messages: int) -> None:
        self.parents = [_NOBODY] * messages
        self._counts = [0] * messages
        # Who has ever hung together: what never has makes no loop, and most of all links are of that kind.
        self._groups = list(range(messages))
        self._steps_left = _STEPS_AT_LEAST + _STEPS_EACH * messages

    def add(self) -> int:
        node = len(self.parents)
        self.parents.append(_NOBODY)
        self._counts.append(0)
        self._groups.append(node)
        return node

    def link(self, parent: int, child: int) -> None:
        """For a child without a parent. (1)(A): not if that would introduce a loop."""
        if parent == child or self._leads_to(parent, child):
            return
        self.parents[child] = parent
        self._counts[parent] += 1
        self._groups[self._group(child)] = self._group(parent)

    def cut(self, child: int) -> None:
        parent = self.parents[child]
        if parent != _NOBODY:
            self.parents[child] = _NOBODY
            self._counts[parent] -= 1

    def _leads_to(self, node: int, ancestor: int) -> bool:
        if not self._counts[ancestor] or self._group(node) != self._group(ancestor):
            return False
        while node not in (_NOBODY, ancestor):
            node = self.parents[node]
            self._steps_left -= 1
            if self._steps_left < 0:
                # Deviates: nobody's mail is like that; a link less is better than seconds of work.
                return True
        return node == ancestor

    def _group(self, node: int) -> int:
        groups = self._groups
        while groups[node] != node:
            groups[node] = groups[groups[node]]
            node = groups[node]
        return node


def _linked(messages: Sequence[Threaded]) -> _Links:
    links = _Links(len(messages))
    nodes: dict[str, int] = {}
    for at, message in enumerate(messages):
        # (1)(A): of several messages with one Message-ID the first has it, and one without is nobody's reference.
        if message.header_id:
            nodes.setdefault(_normalized(message.header_id), at)
    for at, message in enumerate(messages):
        last = _NOBODY
        for reference in map(_normalized, message.references):
            node = nodes.get(reference)
            if node is None:
                node = nodes[reference] = links.add()
            if last != _NOBODY and links.parents[node] == _NOBODY:
                links.link(last, node)  # (1)(A): what has a parent keeps it
            last = node
        if links.parents[at] != last:
            links.cut(at)  # (1)(B)
            if last != _NOBODY:
                links.link(last, at)
    return links


def _normalized(message_id: str) -> str:
    """RFC 5256 §3: <"a"@b> and <a@b> are the same; case matters."""
    return message_id.replace('"', "") if '"' in message_id else message_id


class _Grove:
    """Steps (2) to (6): trees without the messages that are not there, but for roots with several children."""

    def __init__(self, messages: Sequence[Threaded], links: _Links) -> None:
        self._messages = messages
        self._next = len(links.parents)
        self._ranks = [0] * len(messages)
        for rank, at in enumerate(by_sent_date(messages)):
            self._ranks[at] = rank
        self._replies: dict[int, bool] = {}
        self._children = _pruned(links.parents, len(messages))
        self._roots = self._top(links.parents)

    def gather_by_subject(self) -> None:
        """(5)"""
        table: dict[str, int] = {}
        subjects = [self._subject(root) for root in self._roots]
        for root, subject in zip(self._roots, subjects, strict=True):
            if subject and (subject not in table or self._stands_before(root, table[subject])):
                table[subject] = root  # (5)(B)
        kept: dict[int, None] = dict.fromkeys(self._roots)
        for root, subject in zip(self._roots, subjects, strict=True):
            first = table.get(subject, root)
            if first != root:
                del kept[root]
                joint = self._merged(first, root)  # (5)(C)
                if joint != first:
                    del kept[first]
                    kept[joint] = None
                    table[subject] = joint
        self._roots = list(kept)

    def forest(self) -> Forest:
        """(6)"""
        for children in self._children.values():
            children.sort(key=self._ranks.__getitem__)
        return Forest(roots=sorted(self._roots, key=self._rank), children=self._children)

    def _top(self, parents: Sequence[int]) -> list[int]:
        """(2), and of (3) that a message that is not there stays for the sake of two children or more; (4)"""
        roots: list[int] = []
        for node, parent in enumerate(parents):
            if parent != _NOBODY:
                continue
            children = self._children.get(node, [])
            if self._is_there(node) or len(children) > 1:
                roots.append(node)
            else:
                roots.extend(children)
                self._children.pop(node, None)
        return sorted(roots, key=self._rank)

    def _is_there(self, node: int) -> bool:
        return node < len(self._messages)

    def _rank(self, root: int) -> int:
        """(4), (6): one that is not there stands where its first child would."""
        return self._ranks[root] if self._is_there(root) else min(map(self._ranks.__getitem__, self._children[root]))

    def _subject(self, root: int) -> str:
        """(5)(B)(i)"""
        speaker = root if self._is_there(root) else min(self._children[root], key=self._ranks.__getitem__)
        return casemap(self._messages[speaker].base_subject)

    def _is_reply(self, node: int) -> bool:
        found = self._replies.get(node)
        if found is None:
            found = self._is_there(node) and is_reply_or_forward(self._messages[node].subject)
            self._replies[node] = found
        return found

    def _stands_before(self, root: int, other: int) -> bool:
        """(5)(B)(iv)"""
        if not self._is_there(other):
            return False
        return not self._is_there(root) or (self._is_reply(other) and not self._is_reply(root))

    def _merged(self, first: int, root: int) -> int:
        """(5)(C)(iv): under which root both are now."""
        children = self._children
        if not self._is_there(first):
            if self._is_there(root):
                children[first].append(root)
            else:
                children[first].extend(children.pop(root))
        elif self._is_reply(root) and not self._is_reply(first):
            children.setdefault(first, []).append(root)
        else:
            children[self._next] = [first, root]
            self._next += 1
            return self._next - 1
        return first


def _pruned(parents: Sequence[int], messages: int) -> dict[int, list[int]]:
    """(3): the children of each node, with those of a message that is not there in its place."""
    children: dict[int, list[int]] = {}
    for node, parent in enumerate(parents):
        if parent != _NOBODY:
            children.setdefault(parent, []).append(node)
    for node in reversed(_from_the_roots(parents, children)):
        if node in children:
            children[node] = _spliced(children[node], children, messages)
    return {node: below for node, below in children.items() if below}


def _from_the_roots(parents: Sequence[int], children: dict[int, list[int]]) -> list[int]:
    order = [node for node, parent in enumerate(parents) if parent == _NOBODY]
    for node in order:
        order.extend(children.get(node, ()))
    return order


def _spliced(nodes: list[int], children: dict[int, list[int]], messages: int) -> list[int]:
    spliced = [children.pop(node, []) for node in nodes if node >= messages]
    if not spliced:
        return nodes
    spliced.append([node for node in nodes if node < messages])
    largest = max(spliced, key=len)
    for one in spliced:
        if one is not largest:
            largest.extend(one)
    return largest
