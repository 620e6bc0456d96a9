import { html } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { useChanges } from "./hooks.js";

const NAMES = {
  inbox: "inbox", drafts: "drafts", sent: "sent", junk: "junkMailbox", trash: "trash", archive: "archiveMailbox",
};

export function mailboxName(mailbox) {
  return mailbox.role in NAMES ? t(NAMES[mailbox.role]) : mailbox.name;
}

// open: the mail whose list is open. onSelect: with a mailbox's id and the mail that it is of.
// children: what stands below one's own.
export function Mailboxes({ accounts, open, onSelect, children }) {
  useChanges(accounts);
  return html`
    <nav class="mailboxes" aria-label=${t("mailboxes")}>
      <${MailboxTree} mail=${accounts.own} isOpen=${open === accounts.own} onSelect=${onSelect} />
      ${children}
      ${accounts.shared.map(({ owner, mail }) => mail.mailboxes.size > 0 && html`
        <section key=${owner} class="shared" aria-label=${t("mailboxesOf", { owner })}>
          <h2>${owner}</h2>
          <${MailboxTree} mail=${mail} isOpen=${open === mail} onSelect=${onSelect} />
        </section>
      `)}
    </nav>
  `;
}

function MailboxTree({ mail, isOpen, onSelect }) {
  const selectedId = isOpen ? mail.list?.mailboxId : null;
  return html`
    <ul>
      ${mail.sortedMailboxes.map((box) => html`
        <li key=${box.id} class="depth-${Math.min(box.depth, 6)}">
          <a
            href="#/${encodeURIComponent(box.id)}"
            aria-current=${box.id === selectedId ? "page" : null}
            class=${box.unreadThreads ? "unread" : ""}
            onClick=${() => onSelect(box.id, mail)}
          >
            <span class="name">${mailboxName(box)}</span>
            ${box.unreadThreads > 0 && html`
              <span class="count" aria-label=${t("unread", { count: box.unreadThreads })}>${box.unreadThreads}</span>
            `}
          </a>
        </li>
      `)}
    </ul>
  `;
}
