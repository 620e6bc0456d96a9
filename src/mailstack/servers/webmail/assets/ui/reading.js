import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { listAddress } from "../quoting.js";
import { t } from "../texts.js";
import { longDate } from "./dates.js";
import { Delivery } from "./delivery.js";
import { MessageFrame } from "./frame.js";
import { senderName, writtenAddress } from "./people.js";

// submissions: of one's own mail.
export function Reading({ mail, submissions, emailId, onFault, onBack, onWrite }) {
  const [ids, setIds] = useState([]);
  const heading = useRef(null);
  const listed = mail.emails.get(emailId);
  const threadId = listed?.threadId;

  useEffect(() => {
    if (!threadId) return;
    let isCurrent = true;
    mail.readThread(threadId).then((found) => {
      if (!isCurrent) return;
      setIds(found);
      const unread = found.filter((id) => mail.emails.has(id) && !mail.emails.get(id).keywords.$seen);
      if (unread.length && mail.edits.may("maySetSeen", unread)) mail.setKeyword(unread, "$seen", true).catch(onFault);
    }, onFault);
    return () => {
      isCurrent = false;
    };
  }, [threadId]);
  useLayoutEffect(() => heading.current?.focus(), [emailId]);

  if (!listed) return html`<section class="reading" aria-label=${t("reading")}><p class="note">${t("chooseMessage")}</p></section>`;
  const shown = ids.map((id) => mail.emails.get(id)).filter((email) => email?.threadId === threadId && "cc" in email);
  return html`
    <section class="reading" aria-label=${listed.subject || t("noSubject")}>
      <header>
        <button class="back" title=${t("back")} onClick=${onBack}>${t("back")}</button>
        <h1 ref=${heading} tabindex="-1">${listed.subject || t("noSubject")}</h1>
      </header>
      ${!shown.length && html`<p class="note">${t("loading")}</p>`}
      ${shown.map((email, at) => html`
        <${Message}
          key=${email.id} mail=${mail} submissions=${submissions} email=${email} isOpenAtFirst=${at === shown.length - 1}
          onFault=${onFault} onWrite=${onWrite}
        />
      `)}
    </section>
  `;
}

function Message({ mail, submissions, email, isOpenAtFirst, onFault, onWrite }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const sender = senderName(email);
  return html`
    <article class="message ${isOpen ? "open" : "folded"}">
      <header>
        <button class="fold" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
          <span class="who">${(email.from ?? []).map(writtenAddress).join(", ") || t("noSender")}</span>
          <time datetime=${email.receivedAt}>${longDate(email.receivedAt)}</time>
          ${!isOpen && html`<span class="preview">${email.preview}</span>`}
        </button>
        ${isOpen && html`<${Recipients} email=${email} />`}
      </header>
      ${isOpen && html`
        <${MessageFrame} accountId=${mail.jmap.accountId} email=${email} sender=${sender} onFault=${onFault} />
        ${mail === submissions.mail && isSent(mail, email) && html`<${Delivery} submissions=${submissions} emailId=${email.id} />`}
        <${Attachments} mail=${mail} email=${email} />
        <footer>
          <button onClick=${() => onWrite("reply", email)}>${t("reply")}</button>
          <button onClick=${() => onWrite("replyAll", email)}>${t("replyAll")}</button>
          ${listAddress(email) && html`<button onClick=${() => onWrite("replyList", email)}>${t("replyList")}</button>`}
          <button onClick=${() => onWrite("forward", email)}>${t("forward")}</button>
        </footer>
      `}
    </article>
  `;
}

function isSent(mail, email) {
  return mail.mailboxWithRole("sent")?.id in email.mailboxIds;
}

function Recipients({ email }) {
  return html`
    <dl>
      ${["to", "cc", "bcc"].map((name) => email[name]?.length > 0 && html`
        <dt>${t(name)}</dt>
        <dd>${email[name].map(writtenAddress).join(", ")}</dd>
      `)}
    </dl>
  `;
}

function Attachments({ mail, email }) {
  const files = (email.attachments ?? []).filter((part) => part.disposition === "attachment" || !part.cid);
  if (!files.length) return null;
  return html`
    <ul class="attachments" aria-label=${t("attachments")}>
      ${files.map((part) => html`
        <li key=${part.blobId}>
          <a href=${mail.jmap.downloadUrl(part.blobId, part.name, part.type)} download=${part.name || ""}>
            ${part.name || part.type}
          </a>
        </li>
      `)}
    </ul>
  `;
}
