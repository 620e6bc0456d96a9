// The open list: only the rows that can be seen exist, the others are space.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { markedParts } from "../search.js";
import { shortDate } from "./dates.js";
import { senderName, personName } from "./people.js";

const ROW_PX = 64;
const AHEAD = 10;

export function MessageList({ mail, cursorId, selection, onOpen, onToggle, onFault }) {
  const list = mail.list;
  const box = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600 });

  useLayoutEffect(() => {
    const measure = () => setView({ top: box.current.scrollTop, height: box.current.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    box.current.scrollTop = 0;
  }, [list?.mailboxId, list?.text]);

  const first = Math.max(0, Math.floor(view.top / ROW_PX) - AHEAD);
  const last = Math.min(list?.total ?? 0, Math.ceil((view.top + view.height) / ROW_PX) + AHEAD);
  useEffect(() => {
    mail.ensure(first, last).catch(onFault);
  }, [list, first, last, list?.queryState]);

  const at = list ? list.ids.indexOf(cursorId) : -1;
  useEffect(() => {
    if (at < 0) return;
    const top = at * ROW_PX;
    if (top < box.current.scrollTop) box.current.scrollTop = top;
    const lowest = top + ROW_PX - box.current.clientHeight;
    if (lowest > box.current.scrollTop) box.current.scrollTop = lowest;
  }, [at]);

  const rows = [];
  for (let place = first; place < last; place++) {
    rows.push(html`<${Row}
      key=${list.ids[place] ?? `at-${place}`}
      email=${mail.emails.get(list.ids[place])}
      snippet=${list.snippets.get(list.ids[place])}
      place=${place}
      total=${list.total}
      isSent=${mail.mailboxes.get(list.mailboxId)?.role === "sent"}
      isCurrent=${place === at}
      isSelected=${selection.has(list.ids[place])}
      onOpen=${onOpen}
      onToggle=${onToggle}
    />`);
  }
  return html`
    <main
      class="list" ref=${box} tabindex="-1" aria-label=${t("messages")}
      onScroll=${() => setView({ top: box.current.scrollTop, height: box.current.clientHeight })}
    >
      ${list?.isLoading && html`<p class="note">${t("loading")}</p>`}
      ${list && !list.isLoading && !list.total && html`<p class="note">${t("nothingHere")}</p>`}
      <ul
        class="rows" aria-label=${t("messages")}
        ref=${(element) => element?.style.setProperty("height", `${(list?.total ?? 0) * ROW_PX}px`)}
      >
        ${rows}
      </ul>
    </main>
  `;
}

function Row({ email, snippet, place, total, isSent, isCurrent, isSelected, onOpen, onToggle }) {
  const where = (element) => element?.style.setProperty("top", `${place * ROW_PX}px`);
  if (!email) return html`<li class="row empty" ref=${where} aria-hidden="true"></li>`;
  const isUnread = !email.keywords.$seen;
  const subject = email.subject || t("noSubject");
  const people = isSent ? (email.to ?? []).map(personName).join(", ") : senderName(email);
  return html`
    <li
      class="row ${isUnread ? "unread" : ""} ${isCurrent ? "current" : ""} ${isSelected ? "selected" : ""}"
      ref=${where} data-id=${email.id} aria-posinset=${place + 1} aria-setsize=${total}
    >
      <input
        type="checkbox" checked=${isSelected} aria-label=${t("selectMessage", { subject })}
        onClick=${(event) => onToggle(email.id, place, event.shiftKey)}
      />
      <button class="open" aria-current=${isCurrent ? "true" : null} onClick=${() => onOpen(email.id)}>
        <span class="who">${people}</span>
        <time datetime=${email.receivedAt}>${shortDate(email.receivedAt)}</time>
        <span class="subject">
          ${snippet?.subject ? html`<${Marked} snippet=${snippet.subject} />` : subject}
          ${snippet?.preview && html`<span class="found"> – <${Marked} snippet=${snippet.preview} /></span>`}
        </span>
        <span class="preview">${email.preview}</span>
        <span class="marks" aria-hidden="true">
          ${email.keywords.$flagged ? "★" : ""}${email.hasAttachment ? "📎" : ""}${email.keywords.$answered ? "↩" : ""}
        </span>
      </button>
    </li>
  `;
}

function Marked({ snippet }) {
  return markedParts(snippet).map(({ text, isMarked }) => (isMarked ? html`<mark>${text}</mark>` : text));
}
