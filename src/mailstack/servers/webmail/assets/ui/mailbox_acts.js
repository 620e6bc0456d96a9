// Mailboxes are made, named, moved, emptied and deleted, as far as one may.

import { html, useState } from "../vendor/preact-htm.js";
import { MAIL } from "../jmap.js";
import { t } from "../texts.js";
import { Chooser } from "./chooser.js";
import { Dialog } from "./dialog.js";
import { mailboxName } from "./mailbox_names.js";

// onGone: when the mailbox that is open is no more.
export function useMailboxActs({ accounts, acting, ask, setNote, onFault, onGone }) {
  const [form, setForm] = useState(null);
  const close = () => setForm(null);

  async function change(mail, wanted) {
    try {
      await mail.setMailboxes(wanted);
    } catch (error) {
      onFault(error);
    }
  }

  function make(mail = accounts.own, parent = null) {
    setForm({
      title: parent ? t("newMailboxIn", { mailbox: mailboxName(parent) }) : t("newMailbox"),
      button: t("make"),
      name: "",
      save: (name) => mail.setMailboxes({ create: { made: { name, parentId: parent?.id ?? null } } }),
    });
  }

  function rename(mail, box) {
    setForm({
      title: t("renameMailbox", { mailbox: mailboxName(box) }),
      button: t("rename"),
      name: box.name,
      save: (name) => mail.setMailboxes({ update: { [box.id]: { name } } }),
    });
  }

  function move(mail, box) {
    const isBelow = (each) => each && (each.id === box.id || isBelow(mail.mailboxes.get(each.parentId)));
    const places = mail.sortedMailboxes.filter((each) => each.myRights.mayCreateChild && !isBelow(each) && each.id !== box.parentId)
      .map((each) => ({ mail, box: each }));
    if (mayMakeAtTop(mail) && box.parentId) places.unshift({ mail, box: null });
    setForm({
      title: t("moveMailbox", { mailbox: mailboxName(box) }),
      places,
      choose: ({ box: parent }) => {
        close();
        change(mail, { update: { [box.id]: { parentId: parent?.id ?? null } } });
      },
    });
  }

  async function remove(mail, box) {
    const mailbox = mailboxName(box);
    if ([...mail.mailboxes.values()].some(({ parentId }) => parentId === box.id)) return setNote({ text: t("hasMailboxesBelow", { mailbox }) });
    const trash = mail.mailboxWithRole("trash");
    const count = box.totalEmails;
    const answers = count && trash
      ? [{ name: t("contentToTrash"), value: "trash" }, { name: t("contentForGood"), value: "good" }]
      : [{ name: t(count ? "contentForGood" : "deleteMailbox"), value: "good" }];
    const text = count ? t("deleteMailboxText", { count }) : t("mailboxIsEmpty");
    const answer = await ask({ title: t("deleteMailboxTitle", { mailbox }), text, answers });
    if (!answer) return undefined;
    await acting.carryOut(count, async (onPart) => {
      if (answer === "trash") await toTrash(mail, box, trash, onPart);
      await mail.setMailboxes({ destroy: [box.id], onDestroyRemoveEmails: answer === "good" });
      if (mail.list?.mailboxId === box.id) onGone();
    }, t("mailboxDeleted", { mailbox }));
    return undefined;
  }

  function itemsOf(box, mail) {
    const { myRights: may, role } = box;
    const items = [
      may.mayCreateChild && ["newMailboxBelow", () => make(mail, box)],
      may.mayRename && !role && ["renameItem", () => rename(mail, box)],
      may.mayRename && !role && ["moveItem", () => move(mail, box)],
      may.maySetSeen && box.unreadEmails > 0 && ["markAllRead", () => acting.markAllRead(box, mail)],
      may.mayRemoveItems && box.totalEmails > 0 && (role === "trash" || role === "junk") && ["emptyItem", () => acting.empty(box, mail)],
      [box.isSubscribed ? "unsubscribe" : "subscribe", () => change(mail, { update: { [box.id]: { isSubscribed: !box.isSubscribed } } })],
      may.mayDelete && !role && ["deleteItem", () => remove(mail, box)],
    ];
    return items.filter(Boolean).map(([name, act]) => ({ name: t(name), act }));
  }

  const shown = form && (form.places
    ? html`<${Chooser} label=${form.title} places=${form.places} onChoose=${form.choose} onClose=${close} />`
    : html`<${NameForm} key=${form} form=${form} onFault=${onFault} onClose=${close} />`);
  return { make, itemsOf, shown };
}

export function mayMakeAtTop({ jmap }) {
  return jmap.session.accounts[jmap.accountId]?.accountCapabilities[MAIL]?.mayCreateTopLevelMailbox ?? false;
}

// What lies in other mailboxes too stays there.
async function toTrash(mail, box, trash, onPart) {
  await mail.edits.update(await mail.edits.allIds({ inMailbox: box.id }), ({ mailboxIds }) => ({
    [`mailboxIds/${box.id}`]: null,
    ...(Object.keys(mailboxIds).length > 1 ? {} : { [`mailboxIds/${trash.id}`]: true }),
  }), onPart);
}

function NameForm({ form, onClose }) {
  const [name, setName] = useState(form.name);
  const [fault, setFault] = useState("");

  async function save(event) {
    event.preventDefault();
    try {
      await form.save(name.trim());
      onClose();
    } catch (error) {
      setFault(error.type === "alreadyExists" ? t("nameIsTaken") : t("failed", { reason: error.message }));
    }
  }

  return html`
    <${Dialog} label=${form.title} kind="question" onClose=${onClose}>
      <form onSubmit=${save}>
        <h2>${form.title}</h2>
        <label>${t("mailboxName")}<input value=${name} required autofocus autocomplete="off" onInput=${(event) => setName(event.target.value)} /></label>
        <p class="fault" role="alert">${fault}</p>
        <div class="answers">
          <button class="primary" disabled=${!name.trim()}>${form.button}</button>
          <button type="button" onClick=${onClose}>${t("cancel")}</button>
        </div>
      </form>
    <//>
  `;
}
