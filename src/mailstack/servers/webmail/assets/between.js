// Mail from one account into another: copied, and gone from its mailbox only once it is there. RFC 8621 §4.7.

import { CORE, requireSet } from "./jmap.js";

// fromId: the mailbox that it is taken out of, or null for out of all. Returns what takes it back.
export async function moveBetween(from, ids, fromId, to, toId, onPart = () => true) {
  const most = from.jmap.session.capabilities[CORE].maxObjectsInSet;
  const copies = [];
  for (let at = 0; at < ids.length; at += most) {
    const part = ids.slice(at, at + most);
    copies.push(...await copied(from, part, to, toId));
    await from.edits.leave(part, fromId);
    if (onPart((at + part.length) / ids.length) === false) break;
  }
  to.sync();
  return (onBack) => moveBetween(to, copies, null, from, fromId ?? from.mailboxWithRole("inbox").id, onBack);
}

async function copied(from, ids, to, toId) {
  const create = Object.fromEntries(ids.map((id, at) => [`m${at}`, { id, mailboxIds: { [toId]: true } }]));
  const reply = requireSet(await to.jmap.call("Email/copy", { fromAccountId: from.jmap.accountId, create }));
  return Object.values(reply.created).map(({ id }) => id);
}
