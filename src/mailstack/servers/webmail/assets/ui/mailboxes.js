import { html, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { useChanges } from "./hooks.js";
import { Icon } from "./icons.js";
import { mailboxName } from "./mailbox_names.js";
import { Menu } from "./menu.js";
import { DRAGGED } from "./row.js";

// open: the mail whose list is open. onSelect: with a mailbox's id and the mail that it is of. onDrop: with those, and the id
// of the email that was dragged, if it was one alone. itemsOf: what its menu has.
// children: what stands below one's own.
export function Mailboxes({ accounts, open, onSelect, onDrop, onMake, itemsOf, children }) {
  useChanges(accounts);
  const [menu, setMenu] = useState(null);
  const tree = (mail) => html`
    <${MailboxTree} mail=${mail} isOpen=${open === mail} onSelect=${onSelect} onDrop=${onDrop} onMenu=${(box, at) => setMenu({ mail, box, at })} />
  `;
  const items = menu ? itemsOf(menu.box, menu.mail) : [];
  return html`
    <nav class="mailboxes" aria-label=${t("mailboxes")}>
      ${tree(accounts.own)}
      ${children}
      <button class="quiet make" onClick=${onMake}><${Icon} name="plus" /><span>${t("newMailbox")}</span></button>
      ${accounts.shared.map(({ owner, mail }) => mail.mailboxes.size > 0 && html`
        <section key=${owner} class="shared" aria-label=${t("mailboxesOf", { owner })}>
          <h2>${owner}</h2>
          ${tree(mail)}
        </section>
      `)}
      ${items.length > 0 && html`
        <${Menu} key=${menu} label=${mailboxName(menu.box)} at=${menu.at} items=${items} onClose=${() => setMenu(null)} />
      `}
    </nav>
  `;
}

function MailboxTree({ mail, isOpen, onSelect, onDrop, onMenu }) {
  const selectedId = isOpen ? mail.list?.mailboxId : null;
  const [over, setOver] = useState(null);
  // What is dragged lies in the account that is open; another's takes it too, where one may add to it.
  const takes = (event, box) => event.dataTransfer.types.includes(DRAGGED) && box.myRights.mayAddItems && box.id !== selectedId;

  function dragOver(event, box) {
    if (!takes(event, box)) return;
    event.preventDefault();
    setOver(box.id);
  }

  function drop(event, box) {
    setOver(null);
    if (!takes(event, box)) return;
    event.preventDefault();
    onDrop(box, mail, event.dataTransfer.getData(DRAGGED));
  }

  function below(event, box) {
    event.preventDefault();
    const { left, bottom } = event.currentTarget.getBoundingClientRect();
    onMenu(box, event.clientX ? { x: event.clientX, y: event.clientY } : { x: left, y: bottom });
  }

  return html`
    <ul>
      ${mail.sortedMailboxes.map((box) => html`
        <li key=${box.id} class="depth-${Math.min(box.depth, 6)}">
          <a
            href="#/${encodeURIComponent(box.id)}" draggable="false"
            aria-current=${box.id === selectedId ? "page" : null}
            class="${box.unreadThreads ? "unread" : ""} ${box.id === over ? "over" : ""}"
            onClick=${() => onSelect(box.id, mail)} onContextMenu=${(event) => below(event, box)}
            onDragOver=${(event) => dragOver(event, box)} onDragLeave=${() => setOver(null)} onDrop=${(event) => drop(event, box)}
          >
            <span class="name">${mailboxName(box)}</span>
            ${box.unreadThreads > 0 && html`
              <span class="count" aria-label=${t("unread", { count: box.unreadThreads })}>${box.unreadThreads}</span>
            `}
          </a>
          ${box.id === selectedId && html`
            <button
              class="quiet about" aria-haspopup="menu" aria-label=${t("mailboxActions", { mailbox: mailboxName(box) })}
              onClick=${(event) => below(event, box)}
            ><${Icon} name="more" /></button>
          `}
        </li>
      `)}
    </ul>
  `;
}
