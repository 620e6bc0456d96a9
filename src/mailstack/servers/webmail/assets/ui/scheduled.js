// Mail that waits for its time: a place beside the mailboxes, as long as there is any.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { Submissions } from "../submissions.js";
import { t } from "../texts.js";
import { longDate } from "./dates.js";
import { useChanges } from "./hooks.js";
import { personName } from "./people.js";
import { SendLater } from "./send_later.js";

export const SCHEDULED_PAGE = "scheduled";

export function useSubmissions(mail, onFailure) {
  const told = useRef(onFailure);
  told.current = onFailure;
  const [submissions] = useState(() => new Submissions(mail, (email, reply) => told.current(email, reply)));
  useEffect(() => {
    submissions.start();
    return () => submissions.stop();
  }, []);
  return submissions;
}

export function ScheduledLink({ submissions, isOpen, onOpen }) {
  useChanges(submissions);
  const count = submissions.scheduled.length;
  if (!count && !isOpen) return null;
  return html`
    <ul>
      <li>
        <a href="#/${SCHEDULED_PAGE}" aria-current=${isOpen ? "page" : null} onClick=${onOpen}>
          <span class="name">${t("scheduled")}</span>
          <span class="count" aria-label=${t("messageCount", { count })}>${count}</span>
        </a>
      </li>
    </ul>
  `;
}

// onEdit, onTime: with the submission; the latter with the Date that it is to go, null for now.
export function ScheduledList({ submissions, onEdit, onTime }) {
  useChanges(submissions);
  return html`
    <main class="list scheduled" tabindex="-1" aria-label=${t("scheduled")}>
      ${!submissions.scheduled.length && html`<p class="note">${t("nothingHere")}</p>`}
      <ul aria-label=${t("scheduled")}>
        ${submissions.scheduled.map((each) => html`<${Item} key=${each.id} submission=${each} onEdit=${onEdit} onTime=${onTime} />`)}
      </ul>
    </main>
  `;
}

function Item({ submission, onEdit, onTime }) {
  const [isChanging, setChanging] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const { email, sendAt } = submission;

  async function busy(work) {
    setBusy(true);
    await work();
    setBusy(false);
  }

  return html`
    <li>
      <strong>${email.subject || t("noSubject")}</strong>
      <span class="who">${t("to")}: ${(email.to ?? []).map(personName).join(", ")}</span>
      <time datetime=${sendAt}>${t("goesAt", { date: longDate(sendAt) })}</time>
      <div class="acts">
        <button disabled=${isBusy} onClick=${() => busy(() => onTime(submission, null))}>${t("sendNow")}</button>
        <button disabled=${isBusy} aria-expanded=${isChanging} onClick=${() => setChanging(!isChanging)}>${t("otherTime")}</button>
        <button disabled=${isBusy} onClick=${() => busy(() => onEdit(submission))}>${t("cancelAndEdit")}</button>
      </div>
      ${isChanging && html`<${SendLater} isBusy=${isBusy} onChoose=${(at) => busy(() => onTime(submission, at))} />`}
    </li>
  `;
}
