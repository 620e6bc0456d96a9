import { html } from "../vendor/preact-htm.js";
import { markedParts } from "../search.js";
import { t } from "../texts.js";
import { shortDate } from "./dates.js";
import { Icon } from "./icons.js";
import { personName, senderName } from "./people.js";

export const ROW_PX = 64;
// What is dragged, for those who are to know that it is mail.
export const DRAGGED = "application/x-mailstack-emails";

export function Row({ email, snippet, place, isSent, isCurrent, isCursor, selection, onOpen }) {
  const where = (element) => element?.style.setProperty("top", `${place * ROW_PX}px`);
  if (!email) return html`<div class="row empty" ref=${where} aria-hidden="true"></div>`;
  const isUnread = !email.keywords.$seen;
  const isSelected = selection.has(email.id);
  const subject = email.subject || t("noSubject");
  const people = isSent ? (email.to ?? []).map(personName).join(", ") || t("nobody") : senderName(email);

  // With the others that are chosen, where it is one of them.
  function drag(event) {
    const isOfMany = isSelected && selection.count > 1;
    event.dataTransfer.setData(DRAGGED, isOfMany ? "" : email.id);
    event.dataTransfer.effectAllowed = "move";
  }

  return html`
    <div
      class="row ${isUnread ? "unread" : ""} ${isCurrent ? "current" : ""} ${isSelected ? "selected" : ""}"
      role="row" ref=${where} data-id=${email.id} aria-rowindex=${place + 1} aria-selected=${isSelected}
      draggable="true" onDragStart=${drag}
    >
      <span role="gridcell" class="check-cell">
        <input
          type="checkbox" checked=${isSelected} tabindex="-1" aria-label=${t("selectMessage", { subject })}
          onClick=${(event) => (event.shiftKey ? selection.extendTo(email.id) : selection.toggle(email.id))}
        />
      </span>
      <span role="gridcell" class="open-cell">
        <button
          class="open" aria-current=${isCurrent ? "true" : null} tabindex=${isCursor ? 0 : -1}
          onClick=${(event) => (event.shiftKey ? selection.extendTo(email.id) : onOpen(email.id))}
        >
          <span class="who">${isUnread && html`<span class="unseen">${t("unreadMark")} </span>`}${people}</span>
          <time datetime=${email.receivedAt}>${shortDate(email.receivedAt)}</time>
          <span class="subject">
            ${snippet?.subject ? html`<${Marked} snippet=${snippet.subject} />` : subject}
            <span class="preview"> – ${snippet?.preview ? html`<${Marked} snippet=${snippet.preview} />` : email.preview}</span>
          </span>
          <span class="marks">
            ${email.keywords.$flagged && html`<${Mark} name="flag" text=${t("flagged")} />`}
            ${email.hasAttachment && html`<${Mark} name="attachment" text=${t("hasAttachment")} />`}
            ${email.keywords.$answered && html`<${Mark} name="answered" text=${t("answered")} />`}
          </span>
        </button>
      </span>
    </div>
  `;
}

function Mark({ name, text }) {
  return html`<${Icon} name=${name} /><span class="unseen">${text}</span>`;
}

function Marked({ snippet }) {
  return markedParts(snippet).map(({ text, isMarked }) => (isMarked ? html`<mark>${text}</mark>` : text));
}
