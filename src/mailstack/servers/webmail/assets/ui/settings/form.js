// What the forms of the settings have in common: loading, saving, and saying how that went.

import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { t } from "../../texts.js";
import { faultText } from "../faults.js";

// What `load` promises, or nothing yet; how to load it again.
export function useLoaded(load) {
  const [found, setFound] = useState({ value: null, fault: "" });
  const again = () => load().then(
    (value) => setFound({ value, fault: "" }),
    (error) => setFound((before) => ({ ...before, fault: faultText(error) })),
  );
  useEffect(() => {
    again();
  }, []);
  return { ...found, again };
}

export function Loading({ loaded }) {
  if (!loaded.fault) return html`<p class="note">${t("loading")}</p>`;
  return html`
    <p class="note" role="alert">
      ${loaded.fault}${" "}<button onClick=${loaded.again}>${t("loadAgain")}</button>
    </p>
  `;
}

// What a form says over what is kept: only the fields that were touched are the form's own.
export function useEdits(before) {
  const [edits, setEdits] = useState({});
  return {
    before,
    now: { ...before, ...edits },
    change: (name) => (value) => setEdits((last) => ({ ...last, [name]: value })),
    forget: () => setEdits({}),
  };
}

// One action at a time, and what came of it.
export function useAction() {
  const [outcome, setOutcome] = useState({ isBusy: false, fault: "", said: "" });
  async function run(action, said = t("saved")) {
    setOutcome({ isBusy: true, fault: "", said: "" });
    try {
      const result = await action();
      setOutcome({ isBusy: false, fault: "", said });
      return result;
    } catch (error) {
      setOutcome({ isBusy: false, fault: faultText(error), said: "" });
      return undefined;
    }
  }
  const clear = () => setOutcome({ isBusy: false, fault: "", said: "" });
  const refuse = (fault) => setOutcome({ isBusy: false, fault, said: "" });
  return { ...outcome, run, clear, refuse };
}

export function Outcome({ action }) {
  return html`
    <p class="fault" role="alert">${action.fault}</p>
    <p class="said" role="status">${action.said}</p>
  `;
}

export function SaveBar({ action, isChanged, children }) {
  return html`
    <div class="save">
      <button class="primary" type="submit" disabled=${action.isBusy || !isChanged}>
        ${action.isBusy ? t("saving") : t("save")}
      </button>
      ${children}
      <span class="hint">${isChanged && !action.isBusy && !action.fault ? t("unsaved") : ""}</span>
    </div>
    <${Outcome} action=${action} />
  `;
}

let lastField = 0;

export function Field({ label, hint, as = "input", value, onInput, ...rest }) {
  const [id] = useState(() => `field-${++lastField}`);
  const control = { id, value, onInput: (event) => onInput(event.target.value), ...rest };
  if (hint) control["aria-describedby"] = `${id}-hint`;
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${as === "textarea" ? html`<textarea ...${control}></textarea>` : html`<input ...${control} />`}
      ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    </div>
  `;
}

export function Check({ label, isOn, onChange }) {
  return html`
    <label class="check">
      <input type="checkbox" checked=${isOn} onChange=${(event) => onChange(event.target.checked)} />
      <span>${label}</span>
    </label>
  `;
}
