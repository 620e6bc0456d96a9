import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { signOut } from "../jmap.js";
import { parseSearch } from "../search.js";
import { t } from "../texts.js";
import { Compose } from "./compose.js";
import { DropTarget } from "./drop_target.js";
import { faultText } from "./faults.js";
import { useChanges } from "./hooks.js";
import { useKeys } from "./keys.js";
import { MessageList } from "./list.js";
import { Mailboxes, mailboxName } from "./mailboxes.js";
import { Reading } from "./reading.js";
import { useRoute } from "./route.js";
import { SCHEDULED_PAGE, ScheduledLink, ScheduledList, useSubmissions } from "./scheduled.js";
import { SearchField } from "./search_field.js";
import { Settings } from "./settings.js";
import { Shortcuts } from "./shortcuts.js";
import { useWriting } from "./writing.js";

export function App({ accounts, onSignedOut }) {
  const [mail, setMail] = useState(accounts.own);
  const [page] = useRoute();
  useChanges(mail);
  const [openId, setOpenId] = useState(null);
  const [selection, setSelection] = useState(new Set());
  const [note, setNote] = useState(null);
  const [isHelping, setHelping] = useState(false);
  const searchField = useRef(null);

  const onFault = (error) => setNote({ text: faultText(error) });

  const submissions = useSubmissions(accounts.own, (email, reply) => setNote({ text: t("notDelivered", { email, reply }) }));
  const writing = useWriting(accounts.own, submissions, { setNote, onFault });

  useEffect(() => {
    if (!note?.seconds) return undefined;
    const timer = setTimeout(() => setNote(null), note.seconds * 1000);
    return () => clearTimeout(timer);
  }, [note]);

  function open(id) {
    if (mail === accounts.own && mail.emails.get(id)?.keywords.$draft) writing.openDraft(id);
    else setOpenId(id);
  }

  function openMailbox(id, of = mail) {
    setMail(of);
    setOpenId(null);
    setSelection(new Set());
    of.openMailbox(id).catch(onFault);
  }

  function search(text) {
    const filter = parseSearch(text, [...mail.mailboxes.values()]);
    const inbox = mail.mailboxWithRole("inbox");
    searchField.current.blur();
    if (!filter) return inbox && openMailbox(inbox.id);
    setOpenId(null);
    setSelection(new Set());
    mail.search(filter, text.trim()).catch(onFault);
  }

  useEffect(() => {
    accounts.opening.then((error) => error && onFault(error));
  }, []);

  function toggle(id) {
    const next = new Set(selection);
    if (!next.delete(id)) next.add(id);
    setSelection(next);
  }

  // What buttons act on: what is selected, else what is open.
  const acted = selection.size ? [...selection] : openId ? [openId] : [];

  async function moveTo(role) {
    const mailbox = mail.mailboxWithRole(role);
    if (!acted.length || !mailbox) return;
    setSelection(new Set());
    setOpenId(null);
    try {
      const undo = await mail.move(await mail.inThreads(acted), mailbox.id);
      setNote({ text: t("moved", { count: acted.length, mailbox: mailboxName(mailbox) }), undo });
    } catch (error) {
      onFault(error);
    }
  }

  async function takeBack() {
    const { undo } = note;
    setNote(null);
    await undo().catch(onFault);
  }

  // Drafts are passed by: they are not for reading.
  function step(by) {
    const ids = mail.list?.ids ?? [];
    let at = openId ? ids.indexOf(openId) : by > 0 ? -1 : ids.length;
    if (openId && at < 0) return;
    do at += by; while (ids[at] && mail.emails.get(ids[at])?.keywords.$draft);
    if (ids[at]) setOpenId(ids[at]);
  }

  function flag() {
    const isFlagged = acted.every((id) => mail.emails.get(id)?.keywords.$flagged);
    if (acted.length) mail.setKeyword(acted, "$flagged", !isFlagged).catch(onFault);
  }

  const write = (kind) => openId && writing.write(kind, { id: openId }, mail);
  useKeys(page === "settings" ? {} : {
    j: () => step(1), k: () => step(-1), u: () => setOpenId(null), c: () => writing.write(),
    r: () => write("reply"), a: () => write("replyAll"), f: () => write("forward"),
    e: () => moveTo("archive"), "#": () => moveTo("trash"), "!": () => moveTo("junk"), s: flag,
    x: () => openId && toggle(openId), z: () => note?.undo && takeBack(),
    "/": () => searchField.current.focus(), "?": () => setHelping(true),
  });

  async function leave() {
    if (!(await writing.leave())) return;
    accounts.stop();
    await signOut().catch(() => {});
    onSignedOut();
  }

  const isScheduled = page === SCHEDULED_PAGE;
  if (page === "settings") return html`<${Settings} accounts=${accounts} />`;
  return html`
    <div class="app ${openId ? "is-reading" : ""}">
      <header class="bar">
        <strong>${t("appName")}</strong>
        <button class="primary" onClick=${() => writing.write()}>${t("compose")}</button>
        <${SearchField} field=${searchField} onSearch=${search} />
        <div class="actions" role="toolbar" aria-label=${t("messages")}>
          <button disabled=${!acted.length} onClick=${() => moveTo("archive")}>${t("archive")}</button>
          <button disabled=${!acted.length} onClick=${() => moveTo("junk")}>${t("junk")}</button>
          <button disabled=${!acted.length} onClick=${() => moveTo("trash")}>${t("delete")}</button>
          ${selection.size > 0 && html`<span>${t("selected", { count: selection.size })}</span>`}
        </div>
        <a class="button" href="#/settings">${t("settings")}</a>
        <button onClick=${leave}>${t("signOut")}</button>
      </header>
      ${!mail.isOnline && html`<p class="offline" role="status">${t("offline")}</p>`}
      <${Mailboxes} accounts=${accounts} open=${isScheduled ? null : mail} onSelect=${openMailbox}>
        <${ScheduledLink} submissions=${submissions} isOpen=${isScheduled} />
      <//>
      ${isScheduled
        ? html`<${ScheduledList} submissions=${submissions} onEdit=${writing.cancel} onTime=${writing.changeTime} />`
        : html`
          <${MessageList}
            mail=${mail} cursorId=${openId} selection=${selection} onOpen=${open} onToggle=${toggle} onFault=${onFault}
          />
        `}
      <${Reading}
        mail=${mail} submissions=${submissions} emailId=${openId} onFault=${onFault} onBack=${() => setOpenId(null)}
        onWrite=${(kind, email) => writing.write(kind, email, mail)}
      />
      ${writing.draft && html`
        <${Compose}
          key=${writing.draft} draft=${writing.draft} onSent=${writing.sent} onClose=${writing.leave} onDiscard=${writing.discard}
        />
      `}
      <${DropTarget} onFiles=${writing.attach} />
      ${isHelping && html`<${Shortcuts} onClose=${() => setHelping(false)} />`}
      <div class="notes" role="status" aria-live="polite">
        ${note && html`
          <p>${note.text} ${note.undo && html`<button onClick=${takeBack}>${t("undo")}</button>`}</p>
        `}
      </div>
    </div>
  `;
}
