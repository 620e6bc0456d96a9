// What is known of the account's mail here, and how it is kept up to date: mailboxes, emails, and the list that is open.

import { EmailEdits } from "./edits.js";
import { MethodError, requireSet, SUBMISSION, Unreachable } from "./jmap.js";
import { Observable } from "./observable.js";
import { keywordPatch } from "./patches.js";

export const PAGE = 50;
const RETRY_MS = 5000;
// Of the list that is open, and threads that were read: what is kept for when there is no connection.
const MOST_KEPT = 4 * PAGE;
export const LISTED = [
  "id", "threadId", "mailboxIds", "keywords", "from", "to", "subject", "receivedAt", "preview", "hasAttachment",
];
const READ = [
  ...LISTED, "cc", "bcc", "replyTo", "sentAt", "messageId", "inReplyTo", "references", "blobId", "size", "attachments",
  "header:List-Post:asURLs",
];
export const NEWEST_FIRST = [{ property: "receivedAt", isAscending: false }];
const ROLES = ["inbox", "drafts", "sent", "archive", "junk", "trash"];

export class Mail extends Observable {
  constructor(jmap) {
    super();
    this.jmap = jmap;
    this.mailboxes = new Map();
    this.emails = new Map();
    this.identities = [];
    this.list = null;
    this.isOnline = true;
    this._states = {};
    this._syncing = null;
    this._again = false;
    this._isStopped = false;
    this._timer = 0;
    // What was read: threads by id, and the lists of mailboxes.
    this._threads = new Map();
    this._lists = new Map();
    this._stopListening = () => {};
    this.edits = new EmailEdits(this);
  }

  async start() {
    await Promise.all([this._loadMailboxes(), this._loadIdentities()]);
    this.listen();
  }

  listen() {
    if (this._isStopped) return;
    this._stopListening = this.jmap.listen(() => this.sync(), (isOnline) => {
      this.isOnline = isOnline;
      this.changed();
      // What has changed before the stream was open, it does not tell.
      if (isOnline) this.sync();
    });
  }

  stop() {
    this._isStopped = true;
    clearTimeout(this._timer);
    this._stopListening();
  }

  mailboxWithRole(role) {
    for (const mailbox of this.mailboxes.values()) if (mailbox.role === role) return mailbox;
    return null;
  }

  // Made where there is none.
  async mailboxFor(role) {
    const found = this.mailboxWithRole(role);
    if (found) return found;
    const name = role[0].toUpperCase() + role.slice(1);
    await this.setMailboxes({ create: { made: { name, role } } });
    return this.mailboxWithRole(role);
  }

  // Whom one has written to or heard from lately, each once, those written to first.
  async correspondents() {
    this._correspondents ??= this._loadCorrespondents();
    return this._correspondents;
  }

  // As a list for people: those with a role first, then by name, each before what lies below it.
  get sortedMailboxes() {
    const rank = (box) => (ROLES.includes(box.role) ? ROLES.indexOf(box.role) : ROLES.length);
    const below = new Map();
    for (const box of this.mailboxes.values()) {
      const parent = this.mailboxes.has(box.parentId) ? box.parentId : null;
      below.set(parent, [...(below.get(parent) ?? []), box]);
    }
    const found = [];
    const add = (parent, depth) => {
      const boxes = below.get(parent) ?? [];
      boxes.sort((a, b) => rank(a) - rank(b) || a.sortOrder - b.sortOrder || a.name.localeCompare(b.name));
      for (const box of boxes) {
        found.push({ ...box, depth });
        add(box.id, depth + 1);
      }
    };
    add(null, 0);
    return found;
  }

  async openMailbox(mailboxId) {
    const { ids = [], total = 0 } = this._lists.get(mailboxId) ?? {};
    await this._open({ mailboxId, filter: { inMailbox: mailboxId }, ids: [...ids], total });
  }

  async search(filter, text) {
    await this._open({ mailboxId: null, filter, text });
  }

  // Emails of the list from `start` on, PAGE at a time, unless they are here or on their way.
  async ensure(start, stop) {
    const list = this.list;
    if (!list) return;
    const missing = [];
    for (let at = start - (start % PAGE); at < Math.min(stop, list.total); at += PAGE) {
      if (!list.pages.has(at)) missing.push(at);
    }
    await Promise.all(missing.map(async (at) => {
      list.pages.add(at);
      try {
        await this._loadPage(list, at);
      } catch (error) {
        list.pages.delete(at);
        throw error;
      }
    }));
  }

  // All emails of a thread, the oldest first, with what reading takes. With no connection, as they were read before.
  async readThread(threadId) {
    const known = this._threads.get(threadId);
    this._threads.delete(threadId);
    try {
      this._threads.set(threadId, await this._loadThread(threadId));
    } catch (error) {
      if (!known || !(error instanceof Unreachable)) throw error;
      this._threads.set(threadId, known);
    }
    this.changed();
    return this._threads.get(threadId);
  }

  async setKeyword(ids, keyword, isSet) {
    return this.edits.update(ids, () => keywordPatch(keyword, isSet));
  }

  async setMailboxes(change) {
    const reply = requireSet(await this.jmap.call("Mailbox/set", change));
    await this._loadMailboxes();
    return reply;
  }

  // What it takes to go on from here, as far as it was read lately.
  toKeep() {
    const { mailboxes, identities, list, _threads: threads, _states: states } = this;
    const ids = list?.ids.slice(0, MOST_KEPT) ?? [];
    const read = [...threads].slice(-MOST_KEPT);
    const emails = [...new Set([...ids, ...read.flatMap(([, each]) => each)])].map((id) => this.emails.get(id)).filter(Boolean);
    return {
      mailboxes: [...mailboxes.values()], identities, states, emails, threads: read, waiting: this.edits.outbox.waiting,
      list: list && { mailboxId: list.mailboxId, filter: list.filter, text: list.text, ids, total: list.total, queryState: list.queryState },
    };
  }

  restore({ mailboxes, identities, states, emails, threads, waiting, list }) {
    this.mailboxes = new Map(mailboxes.map((box) => [box.id, box]));
    this.emails = new Map(emails.map((email) => [email.id, email]));
    this.identities = identities;
    this._states = states;
    this._threads = new Map(threads);
    this.edits.outbox.waiting = waiting;
    if (!list) return;
    const ids = list.ids.map((id) => id ?? undefined);
    ids.length = list.total;
    const pages = new Set([...ids.keys()].filter((at) => at % PAGE === 0 && this._isHere({ ids, total: list.total }, at)));
    this.list = { ...newList(list), ids, total: list.total, pages, isLoading: false, queryState: list.queryState, loaded: Promise.resolve() };
    if (list.mailboxId) this._lists.set(list.mailboxId, this.list);
  }

  // One at a time; what changes meanwhile is asked for once more.
  sync() {
    if (this._syncing) {
      this._again = true;
      return this._syncing;
    }
    this._syncing = this._sync().catch((error) => error instanceof Unreachable && this.syncLater()).finally(() => {
      this._syncing = null;
      if (this._again) {
        this._again = false;
        this.sync();
      }
    });
    return this._syncing;
  }

  // The stream of changes may be there while requests are refused.
  syncLater() {
    if (this._isStopped) return;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.sync(), RETRY_MS);
  }

  async _sync() {
    // What was done here stands until the server has heard of it.
    await this.edits.outbox.empty();
    // What is on its way may be from before the change.
    await this.list?.loaded.catch(() => {});
    await Promise.all([this._syncMailboxes(), this._syncEmails(), this._syncList()]);
    this.changed();
  }

  async _loadThread(threadId) {
    const id = `t${threadId}`;
    const [, got] = await Promise.all([
      this.jmap.call("Thread/get", { ids: [threadId] }, id),
      this.jmap.call("Email/get", {
        "#ids": { resultOf: id, name: "Thread/get", path: "/list/*/emailIds" },
        properties: READ,
      }),
    ]);
    for (const email of got.list) this.emails.set(email.id, { ...this.emails.get(email.id), ...email });
    return got.list.map((email) => email.id);
  }

  async _loadMailboxes() {
    const got = await this.jmap.call("Mailbox/get", { ids: null });
    this.mailboxes = new Map(got.list.map((box) => [box.id, box]));
    this._states.mailbox = got.state;
    this.changed();
  }

  async _loadIdentities() {
    if (!this.jmap.has(SUBMISSION)) return;
    const got = await this.jmap.call("Identity/get", { ids: null });
    this.identities = got.list.filter(({ email }) => !email.startsWith("*"));
  }

  async _loadCorrespondents() {
    const sent = this.mailboxWithRole("sent");
    const lists = await Promise.all([sent && { inMailbox: sent.id }, {}].filter(Boolean).map(async (filter, at) => {
      const id = `people${at}`;
      const [, got] = await Promise.all([
        this.jmap.call("Email/query", { filter, sort: NEWEST_FIRST, limit: 200 }, id),
        this.jmap.call("Email/get", {
          "#ids": { resultOf: id, name: "Email/query", path: "/ids" }, properties: ["from", "to", "cc"],
        }),
      ]);
      return got.list;
    }));
    const found = new Map();
    for (const email of lists.flat()) {
      for (const each of [...(email.to ?? []), ...(email.cc ?? []), ...(email.from ?? [])]) {
        const known = found.get(each.email.toLowerCase());
        if (!known?.name) found.set(each.email.toLowerCase(), each);
      }
    }
    return [...found.values()];
  }

  async _syncMailboxes() {
    // There are few, and their counts change with all that happens.
    await this._loadMailboxes();
  }

  async _syncEmails() {
    if (!this._states.email) return;
    let changes;
    try {
      changes = await this.jmap.call("Email/changes", { sinceState: this._states.email, maxChanges: 500 });
    } catch (error) {
      if (!(error instanceof MethodError) || error.type !== "cannotCalculateChanges") throw error;
      this._states.email = null;
      this.emails.clear();
      if (this.list) await this.reopen();
      return;
    }
    for (const id of changes.destroyed) this.emails.delete(id);
    const known = changes.updated.filter((id) => this.emails.has(id));
    if (known.length) {
      const got = await this.jmap.call("Email/get", { ids: known, properties: ["id", "keywords", "mailboxIds"] });
      for (const email of got.list) this.emails.set(email.id, { ...this.emails.get(email.id), ...email });
    }
    this._states.email = changes.newState;
    if (changes.hasMoreChanges) await this._syncEmails();
  }

  async _syncList() {
    const list = this.list;
    if (!list) return;
    if (!list.queryState) {
      await this.reopen();
      return;
    }
    try {
      const changes = await this.jmap.call("Email/queryChanges", {
        ...list.query, sinceQueryState: list.queryState, calculateTotal: true, maxChanges: 500,
      });
      if (list !== this.list) return;
      this._applyChanges(list, changes);
      await this._loadMissing(list);
    } catch (error) {
      if (!(error instanceof MethodError)) throw error;
      await this.reopen();
    }
  }

  _applyChanges(list, changes) {
    const removed = new Set(changes.removed);
    // Spread, for places that are not known yet are none to a filter.
    const left = [...list.ids].filter((id) => !removed.has(id));
    const before = changes.total - changes.added.length;
    // Some have gone of what is not known here: behind that nobody can say what stands where.
    if (left.length !== before) left.fill(undefined, Math.max(left.indexOf(undefined), 0));
    left.length = before;
    for (const { id, index } of changes.added) left.splice(index, 0, id);
    list.ids = left;
    list.total = changes.total;
    list.queryState = changes.newQueryState;
    list.pages = new Set([...list.pages].filter((at) => this._isHere(list, at)));
  }

  _isHere(list, at) {
    for (let place = at; place < Math.min(at + PAGE, list.total); place++) if (!list.ids[place]) return false;
    return true;
  }

  async _loadMissing(list) {
    const missing = list.ids.filter((id) => id && !this.emails.has(id));
    if (!missing.length) return;
    const got = await this.jmap.call("Email/get", { ids: missing.slice(0, 500), properties: LISTED });
    for (const email of got.list) this.emails.set(email.id, email);
  }

  // ids, total: of the same list as it was, which is shown until its first page is here.
  async _open({ mailboxId, filter, text = "", ids = [], total = 0 }) {
    const list = { ...newList({ mailboxId, filter, text }), ids, total, pages: new Set([0]), isLoading: !ids.length };
    this.list = list;
    if (mailboxId) this._lists.set(mailboxId, list);
    this.changed();
    list.loaded = this._loadPage(list, 0).catch((error) => {
      list.isLoading = false;
      list.isMissing = !list.ids.length;
      this.changed();
      // What was read before is shown as it was.
      if (list.isMissing || !(error instanceof Unreachable)) throw error;
    });
    await list.loaded;
  }

  async reopen() {
    const { mailboxId, filter, text, ids, total } = this.list;
    await this._open({ mailboxId, filter, text, ids: [...ids], total });
  }

  async _loadPage(list, at) {
    const id = `q${at}-${Math.random()}`;
    const ids = { resultOf: id, name: "Email/query", path: "/ids" };
    const [found, got, snippets] = await Promise.all([
      this.jmap.call("Email/query", { ...list.query, position: at, limit: PAGE, calculateTotal: true }, id),
      this.jmap.call("Email/get", {
        "#ids": ids,
        properties: LISTED,
      }),
      list.text ? this.jmap.call("SearchSnippet/get", { filter: list.filter, "#emailIds": ids }) : { list: [] },
    ]);
    if (list !== this.list) return;
    for (const email of got.list) this.emails.set(email.id, { ...this.emails.get(email.id), ...email });
    for (const snippet of snippets.list) list.snippets.set(snippet.emailId, snippet);
    this._states.email ??= got.state;
    if (list.queryState && list.queryState !== found.queryState) {
      // Something has come or gone between two pages: places have shifted.
      list.ids = [];
      list.pages = new Set([at]);
    }
    list.queryState = found.queryState;
    list.total = found.total;
    found.ids.forEach((each, offset) => (list.ids[found.position + offset] = each));
    list.ids.length = list.total;
    list.isLoading = false;
    list.isMissing = false;
    this.changed();
  }

  dropFromList(ids) {
    const { list } = this;
    if (!list) return;
    const going = new Set(ids);
    const kept = [...list.ids].filter((id) => !going.has(id));
    list.total -= list.ids.length - kept.length;
    list.ids = kept;
  }
}

function newList({ mailboxId, filter, text }) {
  return {
    mailboxId, text, filter, isMissing: false, queryState: "", snippets: new Map(),
    query: { filter, sort: NEWEST_FIRST, collapseThreads: true },
  };
}
