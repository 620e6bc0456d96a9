// The open list: only the rows that can be seen exist, the others are space. A grid for keyboards and screen readers: one row
// of it has the focus, and arrows go on from there.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { ListHead } from "./list_head.js";
import { Row, ROW_PX } from "./row.js";

const AHEAD = 10;

export function MessageList({ mail, openId, selection, onOpen, onFault }) {
  const list = mail.list;
  const box = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const cursor = useCursor(list, box, openId);

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

  function onKeyDown(event) {
    if (event.target.closest(".row") === null || event.altKey) return;
    const isRange = event.shiftKey && event.key.startsWith("Arrow");
    if ((event.ctrlKey || event.metaKey) && event.key === "a") selection.chooseShown();
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") cursor.across(event.key === "ArrowLeft");
    else if (!cursor.move(event.key, Math.max(1, Math.floor(view.height / ROW_PX) - 1))) return;
    else if (isRange) selection.extendTo(list.ids[cursor.at()], list.ids[cursor.before()]);
    event.preventDefault();
  }

  const places = [];
  for (let place = first; place < last; place++) places.push(place);
  // What has the focus stays, however far one scrolls.
  if (list?.total && !places.includes(cursor.place)) places.push(cursor.place);
  const mailbox = mail.mailboxes.get(list?.mailboxId);
  return html`
    <main class="list" ref=${box} tabindex="-1" onScroll=${() => setView({ top: box.current.scrollTop, height: box.current.clientHeight })}>
      <${ListHead} list=${list} mailbox=${mailbox} selection=${selection} />
      ${list?.isLoading && html`<p class="note">${t("loading")}</p>`}
      ${list && !list.isLoading && !list.total && html`<p class="note">${t(list.isMissing ? "notHereYet" : "nothingHere")}</p>`}
      <div
        class="rows" role="grid" aria-label=${t("messages")} aria-rowcount=${list?.total ?? 0} aria-multiselectable="true"
        hidden=${!list?.total} onKeyDown=${onKeyDown}
        ref=${(element) => element?.style.setProperty("height", `${(list?.total ?? 0) * ROW_PX}px`)}
      >
        ${places.map((place) => {
          const id = list.ids[place];
          return html`<${Row}
            key=${id ?? `at-${place}`} email=${mail.emails.get(id)} snippet=${list.snippets.get(id)} place=${place}
            isSent=${mailbox?.role === "sent" || mailbox?.role === "drafts"} isCurrent=${id !== undefined && id === openId}
            isCursor=${place === cursor.place} selection=${selection} onOpen=${onOpen}
          />`;
        })}
      </div>
    </main>
  `;
}

// Which row has the focus, or gets it next: the same email wherever it goes, and the same place once it has gone.
function useCursor(list, box, openId) {
  const [cursor, setCursor] = useState({ id: null, place: 0 });
  const wanted = useRef(null);
  const wasBefore = useRef(0);
  const latest = useRef(0);
  const total = list?.total ?? 0;
  const found = cursor.id === null ? -1 : list?.ids.indexOf(cursor.id) ?? -1;
  const place = Math.max(0, Math.min(found < 0 ? cursor.place : found, total - 1));
  latest.current = place;
  // Asked before the row may go.
  const isInRows = () => box.current?.querySelector(".rows")?.contains(document.activeElement) ?? false;
  const hadFocus = isInRows();

  function goTo(next, part = "button") {
    wasBefore.current = latest.current;
    latest.current = next;
    wanted.current = part;
    setCursor({ id: list.ids[next] ?? null, place: next });
    show(box.current, next);
  }

  useEffect(() => {
    setCursor({ id: null, place: 0 });
  }, [list?.mailboxId, list?.text]);

  const openBefore = useRef(null);
  useLayoutEffect(() => {
    if (openId) {
      const at = list?.ids.indexOf(openId) ?? -1;
      if (at >= 0) {
        setCursor({ id: openId, place: at });
        show(box.current, at);
      }
    } else if (openBefore.current && isNowhere()) wanted.current = "button";
    openBefore.current = openId;
  }, [openId]);

  useLayoutEffect(() => {
    if (hadFocus && isNowhere()) wanted.current ??= "button";
    if (!wanted.current) return;
    const element = box.current.querySelector(`.row[aria-rowindex="${place + 1}"] ${wanted.current}`);
    if (!element) return;
    wanted.current = null;
    element.focus({ preventScroll: true });
  });

  return {
    place,
    at: () => latest.current,
    before: () => wasBefore.current,
    across: (isBack) => goTo(latest.current, isBack ? "input" : "button"),
    move(key, page) {
      const at = latest.current;
      const next = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: total - 1 }[key];
      if (next === undefined) return false;
      goTo(Math.max(0, Math.min(next, total - 1)));
      return true;
    },
  };
}

function isNowhere() {
  return document.activeElement === null || document.activeElement === document.body;
}

function show(box, place) {
  const head = box.querySelector(".list-head")?.offsetHeight ?? 0;
  const top = place * ROW_PX;
  if (top < box.scrollTop) box.scrollTop = top;
  const lowest = head + top + ROW_PX - box.clientHeight;
  if (lowest > box.scrollTop) box.scrollTop = lowest;
}
