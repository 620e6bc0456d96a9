// What is done to emails, however many: seen at once, done in parts, and taken back.

import { CORE, requireSet, Unreachable } from "./jmap.js";
import { LISTED, NEWEST_FIRST } from "./mail.js";
import { Outbox } from "./outbox.js";
import { patched, reverse } from "./patches.js";

export class EmailEdits {
  constructor(mail) {
    this.mail = mail;
    this.outbox = new Outbox(mail.jmap, () => mail.changed(), () => mail.syncLater());
  }

  // What rows stand for: all emails of their threads in the mailbox that is open. What was searched for stands for itself.
  async inThreads(ids) {
    const mailboxId = this.mail.list?.mailboxId;
    if (!mailboxId) return ids;
    const threadIds = [...new Set(ids.map((id) => this.mail.emails.get(id).threadId))];
    try {
      const found = await this._getAll("Thread/get", threadIds);
      const all = found.flatMap(({ emailIds }) => emailIds);
      const missing = await this._getAll("Email/get", all.filter((id) => !this.mail.emails.has(id)), LISTED);
      for (const email of missing) this.mail.emails.set(email.id, email);
      return all.filter((id) => this.mail.emails.get(id)?.mailboxIds[mailboxId]);
    } catch (error) {
      // With no connection, what is seen is all that is known.
      if (!(error instanceof Unreachable)) throw error;
      return ids;
    }
  }

  // All that a filter finds, however much that is.
  async allIds(filter) {
    const found = new Set();
    for (let last = null; ;) {
      const from = last ? { anchor: last, anchorOffset: 1 } : {};
      const { ids } = await this.mail.jmap.call("Email/query", { filter, sort: NEWEST_FIRST, ...from });
      if (!ids.length) return [...found];
      for (const id of ids) found.add(id);
      last = ids.at(-1);
    }
  }

  // patchOf: of an email, as /set takes it. Seen at once, done in parts; onPart is told how much is done, from 0 to 1, and
  // may end it by answering false. Returns what takes it back.
  async update(ids, patchOf, onPart = () => true) {
    const back = new Map();
    const listed = this._dropMoved(ids, patchOf);
    try {
      for (const part of this._parts(ids)) {
        await this._updatePart(part, patchOf, back);
        if (onPart(back.size / ids.length) === false) break;
      }
    } catch (error) {
      listed.putBack();
      this.mail.sync();
      throw error;
    }
    if (back.size < ids.length) this.mail.sync();
    return async (onBack) => {
      listed.putBack();
      await this.update([...back.keys()], ({ id }) => back.get(id), onBack);
    };
  }

  // Out of a mailbox for good: what lies elsewhere too is kept there, as the server says now. fromId: null for out of all.
  async leave(ids, fromId, onPart = () => true) {
    let done = 0;
    if (this.mail.list?.mailboxId === fromId) this.mail.dropFromList(ids);
    this.mail.changed();
    try {
      for (const part of this._parts(ids)) {
        const isElsewhere = ({ mailboxIds }) => fromId && Object.keys(mailboxIds).some((id) => id !== fromId);
        const places = await this._getAll("Email/get", part, ["mailboxIds"]);
        const update = places.filter(isElsewhere).map(({ id }) => [id, { [`mailboxIds/${fromId}`]: null }]);
        const destroy = places.filter((email) => !isElsewhere(email)).map(({ id }) => id);
        requireSet(await this.mail.jmap.call("Email/set", { update: Object.fromEntries(update), destroy }));
        done += part.length;
        if (onPart(done / ids.length) === false) break;
      }
    } finally {
      if (done < ids.length && this.mail.list) this.mail.reopen().catch(() => {});
      this.mail.sync();
    }
  }

  // Whether all of the mailboxes that they lie in let one do it.
  may(right, ids) {
    const places = new Set(ids.flatMap((id) => Object.keys(this.mail.emails.get(id)?.mailboxIds ?? {})));
    return [...places].every((id) => this.mail.mailboxes.get(id)?.myRights[right] ?? true);
  }

  async _updatePart(ids, patchOf, back) {
    const before = await this._placesOf(ids);
    const update = {};
    for (const [id, email] of before) {
      update[id] = patchOf(email);
      back.set(id, reverse(email, update[id]));
      if (this.mail.emails.has(id)) this.mail.emails.set(id, patched(email, update[id]));
    }
    this.mail.changed();
    try {
      await this.outbox.set({ update });
    } catch (error) {
      for (const [id, email] of before) if (this.mail.emails.has(id)) this.mail.emails.set(id, email);
      this.mail.changed();
      throw error;
    }
  }

  // Where they lie, and their keywords; of those that are not here too, unless they are gone.
  async _placesOf(ids) {
    const unknown = ids.filter((id) => !this.mail.emails.has(id));
    const got = await this._getAll("Email/get", unknown, ["id", "keywords", "mailboxIds"]);
    const found = new Map(got.map((email) => [email.id, email]));
    for (const id of ids) if (this.mail.emails.has(id)) found.set(id, this.mail.emails.get(id));
    return found;
  }

  *_parts(ids) {
    const { maxObjectsInGet, maxObjectsInSet } = this.mail.jmap.session.capabilities[CORE];
    const most = Math.min(maxObjectsInGet, maxObjectsInSet);
    for (let at = 0; at < ids.length; at += most) yield ids.slice(at, at + most);
  }

  async _getAll(method, ids, properties = null) {
    const found = [];
    for (const part of this._parts(ids)) found.push(...(await this.mail.jmap.call(method, { ids: part, properties })).list);
    return found;
  }

  // What leaves the mailbox that is open leaves its list at once.
  _dropMoved(ids, patchOf) {
    const { list } = this.mail;
    const mailboxId = list?.mailboxId;
    const going = mailboxId ? ids.filter((id) => {
      const email = this.mail.emails.get(id);
      return email?.mailboxIds[mailboxId] && !patched(email, patchOf(email)).mailboxIds[mailboxId];
    }) : [];
    if (!going.length) return { putBack: () => {} };
    const before = { ids: list.ids, total: list.total };
    const { queryState } = list;
    this.mail.dropFromList(going);
    return {
      putBack: () => {
        if (list === this.mail.list && list.queryState === queryState) Object.assign(list, before);
        this.mail.changed();
      },
    };
  }
}
