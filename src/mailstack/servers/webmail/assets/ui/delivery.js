// What became of a message that one has sent, where that is not what was to be expected.

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { delaysOf, failuresOf } from "../submissions.js";
import { t } from "../texts.js";
import { longDate } from "./dates.js";
import { useChanges } from "./hooks.js";

export function Delivery({ submissions, emailId }) {
  useChanges(submissions);
  const [last, setLast] = useState(null);

  useEffect(() => {
    let isCurrent = true;
    submissions.of(emailId).then((found) => isCurrent && setLast(found.at(-1) ?? null), () => {});
    return () => {
      isCurrent = false;
    };
  }, [emailId, submissions.version]);

  if (!last) return null;
  const isWaiting = last.undoStatus === "pending" && submissions.scheduled.some(({ id }) => id === last.id);
  const lines = [
    ...failuresOf(last).map((each) => ({ ...each, text: "notDelivered", isFault: true })),
    ...delaysOf(last).map((each) => ({ ...each, text: "notYetDelivered", isFault: false })),
  ];
  if (!isWaiting && !lines.length) return null;
  return html`
    <ul class="delivery" aria-label=${t("delivery")}>
      ${isWaiting && html`<li><a href="#/scheduled">${t("goesAt", { date: longDate(last.sendAt) })}</a></li>`}
      ${lines.map(({ email, reply, text, isFault }) => html`<li key=${email} class=${isFault ? "fault" : ""}>${t(text, { email, reply })}</li>`)}
    </ul>
  `;
}
