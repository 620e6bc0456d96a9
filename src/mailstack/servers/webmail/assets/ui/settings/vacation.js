import { html } from "../../vendor/preact-htm.js";
import { requireSet } from "../../jmap.js";
import { t } from "../../texts.js";
import { beginOf, endOf, firstDayOf, lastDayOf } from "./days.js";
import { Check, Field, Loading, SaveBar, useAction, useEdits, useLoaded } from "./form.js";
import { htmlOfText } from "./text_html.js";

const SINGLETON = "singleton";

export function Vacation({ jmap }) {
  const loaded = useLoaded(() => jmap.call("VacationResponse/get", { ids: [SINGLETON] }));
  if (!loaded.value) return html`<${Loading} loaded=${loaded} />`;
  const { list: [vacation], state } = loaded.value;
  return html`<${VacationForm} jmap=${jmap} vacation=${vacation} state=${state} onSaved=${loaded.again} />`;
}

function asWritten(vacation) {
  return {
    isEnabled: vacation.isEnabled,
    firstDay: firstDayOf(vacation.fromDate),
    lastDay: lastDayOf(vacation.toDate),
    subject: vacation.subject ?? "",
    text: vacation.textBody ?? "",
  };
}

// Only what was changed here: the rest stays as another program may have said it, to the second.
function patchOf(before, after) {
  const patch = {};
  if (after.isEnabled !== before.isEnabled) patch.isEnabled = after.isEnabled;
  if (after.firstDay !== before.firstDay) patch.fromDate = beginOf(after.firstDay);
  if (after.lastDay !== before.lastDay) patch.toDate = endOf(after.lastDay);
  if (after.subject !== before.subject) patch.subject = after.subject || null;
  if (after.text !== before.text) {
    patch.textBody = after.text || null;
    patch.htmlBody = htmlOfText(after.text) || null;
  }
  return patch;
}

function VacationForm({ jmap, vacation, state, onSaved }) {
  const { before, now, change, forget } = useEdits(asWritten(vacation));
  const action = useAction();
  const patch = patchOf(before, now);

  async function save(event) {
    event.preventDefault();
    if (now.firstDay && now.lastDay && now.lastDay < now.firstDay) return action.refuse(t("wrongDays"));
    const update = { [SINGLETON]: patch };
    await action.run(async () => {
      requireSet(await jmap.call("VacationResponse/set", { update, ifInState: state }));
      await onSaved();
      forget();
    });
  }

  return html`
    <form onSubmit=${save}>
      <p class="hint">${t("vacationHint")}</p>
      <${Check} label=${t("vacationOn")} isOn=${now.isEnabled} onChange=${change("isEnabled")} />
      <div class="pair">
        <${Field} label=${t("firstDay")} hint=${t("dayHint")} type="date" value=${now.firstDay} onInput=${change("firstDay")} />
        <${Field} label=${t("lastDay")} hint=${t("dayHint")} type="date" value=${now.lastDay} onInput=${change("lastDay")} />
      </div>
      <${Field} label=${t("answerSubject")} hint=${t("answerSubjectHint")} value=${now.subject} onInput=${change("subject")} />
      <${Field} label=${t("answerText")} as="textarea" rows="8" value=${now.text} onInput=${change("text")} />
      <${SaveBar} action=${action} isChanged=${Object.keys(patch).length > 0} />
    </form>
  `;
}
