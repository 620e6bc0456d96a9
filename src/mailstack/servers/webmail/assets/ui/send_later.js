// When mail is to go: a few times that people often mean, or any.

import { html, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { longDate } from "./dates.js";

const MORNING = 8;
const MONDAY = 1;

function suggestions() {
  const now = new Date();
  const soon = new Date(now.getTime() + 3_600_000);
  soon.setSeconds(0, 0);
  const morningIn = (days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);
  const untilMonday = (MONDAY - now.getDay() + 6) % 7 + 1;
  const found = [["inAnHour", soon], ["tomorrowMorning", morningIn(1)]];
  return untilMonday > 1 ? [...found, ["mondayMorning", morningIn(untilMonday)]] : found;
}

export function SendLater({ isBusy, onChoose }) {
  const [text, setText] = useState("");
  return html`
    <div class="later" role="group" aria-label=${t("sendLater")}>
      ${suggestions().map(([name, at]) => html`
        <button key=${name} type="button" disabled=${isBusy} title=${longDate(at)} onClick=${() => onChoose(at)}>${t(name)}</button>
      `)}
      <span class="any">
        <input type="datetime-local" aria-label=${t("sendAt")} value=${text} onInput=${(event) => setText(event.target.value)} />
        <button type="button" disabled=${isBusy || !text} onClick=${() => onChoose(new Date(text))}>${t("sendThen")}</button>
      </span>
    </div>
  `;
}
