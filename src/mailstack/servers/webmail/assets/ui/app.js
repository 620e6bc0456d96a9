import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { signOut } from "../jmap.js";
import { parseSearch } from "../search.js";
import { t } from "../texts.js";
import { useActing } from "./acting.js";
import { Chooser } from "./chooser.js";
import { Compose } from "./compose.js";
import { DropTarget } from "./drop_target.js";
import { faultText } from "./faults.js";
import { useChanges } from "./hooks.js";
import { Icon } from "./icons.js";
import { useKeys } from "./keys.js";
import { MessageList } from "./list.js";
import { mayMakeAtTop, useMailboxActs } from "./mailbox_acts.js";
import { mailboxName } from "./mailbox_names.js";
import { Mailboxes } from "./mailboxes.js";
import { Notes, useNote } from "./notes.js";
import { useQuestions } from "./questions.js";
import { Reading } from "./reading.js";
import { useRoute } from "./route.js";
import { SCHEDULED_PAGE, ScheduledLink, ScheduledList, useSubmissions } from "./scheduled.js";
import { SearchField } from "./search_field.js";
import { useSelection } from "./selection.js";
import { Settings } from "./settings.js";
import { Shortcuts } from "./shortcuts.js";
import { SignInAgain } from "./sign_in.js";
import { Toolbar } from "./toolbar.js";
import { useWriting } from "./writing.js";

export function App({ accounts, onSignedOut }) {
  const [mail, setMail] = useState(accounts.own);
  const [page] = useRoute();
  useChanges(accounts);
  const [openId, setOpenId] = useState(null);
  const [isHelping, setHelping] = useState(false);
  const [moving, setMoving] = useState(null);
  const searchField = useRef(null);
  const selection = useSelection(mail.list);
  const { note, setNote, takeBack } = useNote((error) => onFault(error));
  const { ask, shown: question } = useQuestions();

  const onFault = (error) => setNote({ text: faultText(error) });
  const back = () => setOpenId(null);
  const openInbox = () => openMailbox(accounts.own.mailboxWithRole("inbox").id, accounts.own);

  function onLeave() {
    selection.clear();
    back();
  }

  const submissions = useSubmissions(accounts.own, (email, reply) => setNote({ text: t("notDelivered", { email, reply }) }));
  const writing = useWriting(accounts.own, submissions, { setNote, onFault });
  const acting = useActing({ mail, accounts, onLeave, setNote, onFault, ask });
  const boxes = useMailboxActs({ accounts, acting, ask, setNote, onFault, onGone: openInbox });
  useTitle(mail);

  useEffect(() => {
    if (accounts.all.includes(mail)) return;
    setNote({ text: t("noLongerShared") });
    openInbox();
  }, [accounts.all.length]);

  function open(id) {
    if (mail === accounts.own && mail.emails.get(id)?.keywords.$draft) writing.openDraft(id);
    else setOpenId(id);
  }

  function openMailbox(id, of = mail) {
    setMail(of);
    onLeave();
    of.openMailbox(id).catch(onFault);
  }

  function search(text) {
    const filter = parseSearch(text, [...mail.mailboxes.values()]);
    const inbox = mail.mailboxWithRole("inbox");
    searchField.current.blur();
    if (!filter) return inbox && openMailbox(inbox.id);
    setOpenId(null);
    selection.clear();
    mail.search(filter, text.trim()).catch(onFault);
  }

  useEffect(() => {
    accounts.opening.then((error) => error && onFault(error));
  }, []);

  const targetOf = (rows) => ({ rows, count: rows.length, isAll: false });

  // What is acted on: what is selected, else what is open. Keys act on the row that has the focus, too.
  const target = selection.count ? { rows: selection.ids, count: selection.count, isAll: selection.isAll } : targetOf(openId ? [openId] : []);
  const rowInFocus = () => document.activeElement?.closest(".row")?.dataset.id;
  const keyed = () => (target.count || !rowInFocus() ? target : targetOf([rowInFocus()]));

  // Drafts are passed by: they are not for reading.
  function step(by) {
    const ids = mail.list?.ids ?? [];
    let at = openId ? ids.indexOf(openId) : by > 0 ? -1 : ids.length;
    if (openId && at < 0) return;
    do at += by; while (ids[at] && mail.emails.get(ids[at])?.keywords.$draft);
    if (ids[at]) setOpenId(ids[at]);
  }

  function flag() {
    const { rows } = keyed();
    const isFlagged = rows.every((id) => mail.emails.get(id)?.keywords.$flagged);
    acting.mark(keyed(), "$flagged", !isFlagged, isFlagged ? "unflagged" : "flaggedNow");
  }

  function markUnread() {
    acting.mark(keyed(), "$seen", false, "markedUnread");
    back();
  }

  function drop(box, of, id) {
    acting.moveTo(id ? targetOf([id]) : target, box, of);
  }

  const onTarget = (act) => () => keyed().count > 0 && act();
  const onRow = (act) => () => (openId ?? rowInFocus()) && act(openId ?? rowInFocus());
  const write = (kind) => openId && writing.write(kind, { id: openId }, mail);
  useKeys(page === "settings" ? {} : {
    j: () => step(1), k: () => step(-1), u: back, c: () => writing.write(),
    r: () => write("reply"), a: () => write("replyAll"), f: () => write("forward"),
    e: onTarget(() => acting.moveToRole(keyed(), "archive")), "#": onTarget(() => acting.remove(keyed())),
    "!": onTarget(() => acting.moveToRole(keyed(), "junk")), v: onTarget(() => setMoving(keyed())), s: onTarget(flag),
    I: onTarget(() => acting.mark(keyed(), "$seen", true, "markedRead")), U: onTarget(markUnread),
    x: onRow(selection.toggle), X: onRow((id) => selection.extendTo(id)), z: takeBack,
    Escape: () => (selection.count ? selection.clear() : back()),
    "/": () => searchField.current.focus(), "?": () => setHelping(true),
  });

  async function leave() {
    if (!(await writing.leave())) return;
    try {
      await signOut();
    } catch (error) {
      onFault(error);
      return;
    }
    accounts.stop();
    onSignedOut();
  }

  const isScheduled = page === SCHEDULED_PAGE;
  const signIn = accounts.connection.isSignedOut && html`<${SignInAgain} connection=${accounts.connection} />`;
  if (page === "settings") return html`<${Settings} accounts=${accounts} />${signIn}`;
  return html`
    <div class="app ${openId ? "is-reading" : ""}">
      <header class="bar">
        <strong>${t("appName")}</strong>
        <button class="primary" onClick=${() => writing.write()}>${t("compose")}</button>
        <${SearchField} field=${searchField} onSearch=${search} />
        <${Toolbar} mail=${mail} target=${target} acting=${acting} onMove=${() => setMoving(target)} onUnread=${markUnread} />
        <a class="button" href="#/settings" title=${t("settings")}><${Icon} name="settings" /><span>${t("settings")}</span></a>
        <button class="button" title=${t("signOut")} onClick=${leave}><${Icon} name="leave" /><span>${t("signOut")}</span></button>
      </header>
      ${!mail.isOnline && !signIn && html`<p class="offline" role="status">${offlineText(accounts)}</p>`}
      <${Mailboxes}
        accounts=${accounts} open=${isScheduled ? null : mail} onSelect=${openMailbox} onDrop=${drop} onMake=${() => boxes.make()}
        itemsOf=${boxes.itemsOf}
      >
        <${ScheduledLink} submissions=${submissions} isOpen=${isScheduled} onOpen=${onLeave} />
      <//>
      ${isScheduled
        ? html`<${ScheduledList} submissions=${submissions} onEdit=${writing.cancel} onTime=${writing.changeTime} />`
        : html`<${MessageList} mail=${mail} openId=${openId} selection=${selection} onOpen=${open} onFault=${onFault} />`}
      <${Reading}
        mail=${mail} submissions=${submissions} emailId=${openId} onFault=${onFault} onBack=${back}
        onWrite=${(kind, email) => writing.write(kind, email, mail)}
      />
      ${writing.draft && html`
        <${Compose}
          key=${writing.draft} draft=${writing.draft} onSent=${writing.sent} onClose=${writing.leave} onDiscard=${writing.discard}
        />
      `}
      <${DropTarget} onFiles=${writing.attach} />
      ${moving && html`<${MoveTo} accounts=${accounts} mail=${mail} target=${moving} acting=${acting} onFault=${onFault} onClose=${() => setMoving(null)} />`}
      ${isHelping && html`<${Shortcuts} onClose=${() => setHelping(false)} />`}
      ${question}${boxes.shown}${signIn}
      <${Notes} note=${note} onTakeBack=${takeBack} />
    </div>
  `;
}

function MoveTo({ accounts, mail, target, acting, onFault, onClose }) {
  const openId = mail.list?.mailboxId;
  const all = [{ mail: accounts.own, owner: "" }, ...accounts.shared];
  const places = all.flatMap(({ mail: of, owner }) => of.sortedMailboxes
    .filter((box) => box.myRights.mayAddItems && box.id !== openId)
    .map((box) => ({ mail: of, owner, box })));

  async function make(name) {
    onClose();
    try {
      const { created } = await mail.setMailboxes({ create: { made: { name: name || t("newMailbox") } } });
      await acting.moveTo(target, mail.mailboxes.get(created.made.id));
    } catch (error) {
      onFault(error);
    }
  }

  return html`
    <${Chooser}
      label=${t("moveTo")} places=${places} onMake=${mayMakeAtTop(mail) ? make : null} onClose=${onClose}
      onChoose=${({ mail: to, box }) => {
        onClose();
        acting.moveTo(target, box, to);
      }}
    />
  `;
}

function offlineText(accounts) {
  const count = accounts.all.reduce((sum, { edits }) => sum + edits.outbox.waiting.length, 0);
  return count ? `${t("offline")} ${t("changesWait", { count })}` : t("offline");
}

// What tabs are told apart by: how many unread messages there are, and where one is.
function useTitle(mail) {
  const open = mail.mailboxes.get(mail.list?.mailboxId);
  const unread = open?.unreadEmails ? `(${open.unreadEmails}) ` : "";
  const title = `${unread}${open ? mailboxName(open) : t("search")} – ${t("appName")}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}
