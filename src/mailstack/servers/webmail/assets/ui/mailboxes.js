import { html } from "../vendor/preact-htm.js";
import { t } from "../texts.js";

const NAMES = {
  inbox: "inbox", drafts: "drafts", sent: "sent", junk: "junkMailbox", trash: "trash", archive: "archiveMailbox",
};

export function mailboxName(mailbox) {
  return mailbox.role in NAMES ? t(NAMES[mailbox.role]) : mailbox.name;
}

export function Mailboxes({ mail, selectedId, onSelect }) {
  return html`
    <nav class="mailboxes" aria-label=${t("mailboxes")}>
      <ul>
        ${mail.sortedMailboxes.map((box) => html`
          <li key=${box.id} class="depth-${Math.min(box.depth, 6)}">
            <a
              href="#/${encodeURIComponent(box.id)}"
              aria-current=${box.id === selectedId ? "page" : null}
              class=${box.unreadThreads ? "unread" : ""}
              onClick=${() => onSelect(box.id)}
            >
              <span class="name">${mailboxName(box)}</span>
              ${box.unreadThreads > 0 && html`
                <span class="count" aria-label=${t("unread", { count: box.unreadThreads })}>${box.unreadThreads}</span>
              `}
            </a>
          </li>
        `)}
      </ul>
    </nav>
  `;
}
