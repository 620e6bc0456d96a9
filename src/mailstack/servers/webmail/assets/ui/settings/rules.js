import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { t } from "../../texts.js";
import { Loading, Outcome, SaveBar, Field, useAction, useEdits, useLoaded } from "./form.js";
import { ScriptEditor } from "./script_editor.js";
import { keepScript, loadScripts, readScript, removeScript, useScript } from "./scripts.js";

const NEW = "new";

export function Rules({ jmap }) {
  const loaded = useLoaded(() => loadScripts(jmap));
  const [chosenId, setChosenId] = useState(null);
  const action = useAction();
  if (!loaded.value) return html`<${Loading} loaded=${loaded} />`;
  const { scripts, state, isLocked } = loaded.value;
  const openId = chosenId ?? scripts.find((each) => each.isActive)?.id ?? scripts[0]?.id ?? null;
  const open = scripts.find((each) => each.id === openId) ?? null;

  async function change(work) {
    await action.run(async () => {
      await work();
      await loaded.again();
    });
  }

  function remove(script) {
    if (!confirm(t("removeScript", { name: script.name }))) return;
    setChosenId(null);
    change(() => removeScript(jmap, script));
  }

  return html`
    <p class="hint">${isLocked ? t("rulesLocked") : t("rulesHint")}</p>
    <ul class="scripts" aria-label=${t("rules")}>
      ${scripts.map((script) => html`
        <li key=${script.id}>
          <button class="link" aria-current=${script === open ? "true" : null} onClick=${() => setChosenId(script.id)}>
            ${script.name}
          </button>
          ${script.isActive && html`<span class="badge">${t("inUse")}</span>`}
          ${!isLocked && html`
            <span class="acts">
              <button onClick=${() => change(() => useScript(jmap, script.isActive ? null : script))}>
                ${script.isActive ? t("stopUsing") : t("use")}<span class="unseen"> ${script.name}</span>
              </button>
              <button onClick=${() => remove(script)}>${t("remove")}<span class="unseen"> ${script.name}</span></button>
            </span>
          `}
        </li>
      `)}
      ${!scripts.length && html`<li class="note">${t("noScripts")}</li>`}
    </ul>
    <${Outcome} action=${action} />
    ${!isLocked && openId !== NEW && html`<button onClick=${() => setChosenId(NEW)}>${t("newScript")}</button>`}
    ${(open || openId === NEW) && html`
      <${Script}
        key=${openId} jmap=${jmap} script=${open} state=${state} isLocked=${isLocked}
        onKept=${async (id) => {
          await loaded.again();
          setChosenId(id);
        }}
      />
    `}
  `;
}

function Script({ jmap, script, state, isLocked, onKept }) {
  const loaded = useLoaded(async () => (script ? readScript(jmap, script) : ""));
  useEffect(() => {
    if (loaded.value !== null) loaded.again();
  }, [script?.blobId]);
  const { before, now, change, forget } = useEdits({ name: script?.name ?? "", text: loaded.value ?? "" });
  const action = useAction();
  if (loaded.value === null) return html`<${Loading} loaded=${loaded} />`;

  async function save(event) {
    event.preventDefault();
    await action.run(async () => {
      const id = await keepScript(jmap, script, { name: now.name, text: now.text, state });
      await onKept(id);
      await loaded.again();
      forget();
    });
  }

  const editor = html`
    <${ScriptEditor} jmap=${jmap} text=${now.text} isLocked=${isLocked} onInput=${change("text")} />
  `;
  if (isLocked) return editor;
  return html`
    <form onSubmit=${save}>
      <${Field} label=${t("scriptName")} required value=${now.name} onInput=${change("name")} />
      ${editor}
      <${SaveBar} action=${action} isChanged=${now.name !== before.name || now.text !== before.text} />
    </form>
  `;
}
