import { html, useState } from "../../vendor/preact-htm.js";
import { parseAddresses, whyNoAddress } from "../../addresses.js";
import { requireSet } from "../../jmap.js";
import { t } from "../../texts.js";
import { writtenAddress } from "../people.js";
import { Check, Field, Loading, SaveBar, useAction, useEdits, useLoaded } from "./form.js";
import { htmlOfText } from "./text_html.js";

const NEW = { name: "", email: "", replyTo: null, textSignature: "", htmlSignature: "" };

export function Identities({ jmap }) {
  const loaded = useLoaded(() => jmap.call("Identity/get", { ids: null }));
  const [isMaking, setMaking] = useState(false);
  if (!loaded.value) return html`<${Loading} loaded=${loaded} />`;
  const { list, state } = loaded.value;

  async function set(change) {
    requireSet(await jmap.call("Identity/set", { ...change, ifInState: state }));
    await loaded.again();
  }

  async function make(values) {
    await set({ create: { made: values } });
    setMaking(false);
  }

  return html`
    <p class="hint">${t("identitiesHint")}</p>
    ${list.map((identity) => html`
      <details key=${identity.id} open=${list.length === 1}>
        <summary>${writtenAddress(identity)}</summary>
        <${IdentityForm}
          identity=${identity}
          onSave=${(patch) => set({ update: { [identity.id]: patch } })}
          onRemove=${identity.mayDelete ? () => set({ destroy: [identity.id] }) : null}
        />
      </details>
    `)}
    ${isMaking
      ? html`<section><h2>${t("newIdentity")}</h2><${IdentityForm} identity=${NEW} onSave=${make} onCancel=${() => setMaking(false)} /></section>`
      : html`<button onClick=${() => setMaking(true)}>${t("newIdentity")}</button>`}
  `;
}

function asWritten(identity) {
  return {
    name: identity.name,
    email: identity.email,
    replyTo: (identity.replyTo ?? []).map(writtenAddress).join(", "),
    text: identity.textSignature,
    hasHtml: !!identity.htmlSignature && identity.htmlSignature !== htmlOfText(identity.textSignature),
    html: identity.htmlSignature,
  };
}

function wrongAddress({ replyTo }) {
  return parseAddresses(replyTo).map(({ email }) => email).find((email) => whyNoAddress(email));
}

function patchOf(before, now) {
  const patch = {};
  if (now.name !== before.name) patch.name = now.name;
  if (now.email !== before.email) patch.email = now.email.trim();
  if (now.replyTo !== before.replyTo) {
    const found = parseAddresses(now.replyTo);
    patch.replyTo = found.length ? found : null;
  }
  if (now.text !== before.text) patch.textSignature = now.text;
  const written = now.hasHtml ? now.html : htmlOfText(now.text);
  if ((now.text !== before.text || now.hasHtml !== before.hasHtml || now.hasHtml) && written !== before.html) {
    patch.htmlSignature = written;
  }
  return patch;
}

function IdentityForm({ identity, onSave, onRemove = null, onCancel = null }) {
  const { before, now, change, forget } = useEdits(asWritten(identity));
  const action = useAction();
  const isChanged = Object.keys(before).some((name) => before[name] !== now[name]);

  async function save(event) {
    event.preventDefault();
    const wrong = wrongAddress(now);
    if (wrong !== undefined) return action.refuse(t(whyNoAddress(wrong), { text: wrong }));
    await action.run(async () => {
      const patch = patchOf(before, now);
      if (Object.keys(patch).length) await onSave(patch);
      forget();
    });
  }

  return html`
    <form onSubmit=${save}>
      ${!identity.id && html`
        <${Field} label=${t("address")} type="email" required value=${now.email} onInput=${change("email")} />
      `}
      <${Field} label=${t("displayName")} autocomplete="name" value=${now.name} onInput=${change("name")} />
      <${Field} label=${t("replyTo")} hint=${t("replyToHint")} value=${now.replyTo} onInput=${change("replyTo")} />
      <${Field} label=${t("signature")} as="textarea" rows="4" value=${now.text} onInput=${change("text")} />
      <${Check} label=${t("signatureHasHtml")} isOn=${now.hasHtml} onChange=${change("hasHtml")} />
      ${now.hasHtml && html`
        <${Field} label=${t("signatureHtml")} as="textarea" rows="6" class="code" spellcheck=${false} value=${now.html} onInput=${change("html")} />
      `}
      <${SaveBar} action=${action} isChanged=${isChanged}>
        ${onRemove && html`<button type="button" disabled=${action.isBusy} onClick=${() => action.run(onRemove)}>${t("remove")}</button>`}
        ${onCancel && html`<button type="button" onClick=${onCancel}>${t("cancel")}</button>`}
      <//>
    </form>
  `;
}
