import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { AddressField } from "./address_field.js";
import { Editor } from "./editor.js";
import { useChanges } from "./hooks.js";
import { writtenAddress } from "./people.js";

const STATES = { saving: "draftSaving", saved: "draftSaved" };

export function Compose({ draft, onSent, onClose, onDiscard }) {
  useChanges(draft);
  const told = useRef({ now: () => {} }).current;
  const files = useRef(null);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const [isWide, setWide] = useState(Boolean(draft.cc || draft.bcc));
  const [later, setLater] = useState(null);
  const { mail } = draft;

  useEffect(() => {
    const warn = (event) => {
      told.now();
      if (draft.state !== "saved" && draft.state !== "new") event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [draft]);

  async function send(at = null) {
    told.now();
    setBusy(true);
    setFault("");
    try {
      const identity = mail.identities.find((each) => each.id === draft.identityId) ?? mail.identities[0];
      if (!identity) throw new Error(t("noIdentity"));
      onSent(await draft.send(identity, at), at);
    } catch (error) {
      setFault(error.message);
      setBusy(false);
    }
  }

  function close() {
    told.now();
    onClose();
  }

  function discard() {
    told.now();
    onDiscard();
  }

  function onKeyDown(event) {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isBusy) send();
    else return;
    event.preventDefault();
  }

  function drop(event) {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    draft.attach(event.dataTransfer.files);
  }

  const isAnswer = Boolean(draft.to);
  const address = (name, isFocused) => html`
    <${AddressField} name=${name} value=${draft[name]} mail=${mail} isFocused=${isFocused} onChange=${(text) => draft.edit({ [name]: text })} />
  `;
  return html`
    <form
      class="compose" role="dialog" aria-label=${t("newMessage")} onSubmit=${(event) => event.preventDefault()}
      onKeyDown=${onKeyDown} onDragOver=${(event) => event.preventDefault()} onDrop=${drop}
    >
      <header>
        <strong>${draft.subject || t("newMessage")}</strong>
        <span class="state" role="status">${draft.state in STATES ? t(STATES[draft.state]) : ""}</span>
        <button type="button" class="quiet" aria-label=${t("close")} title=${t("close")} onClick=${close}>✕</button>
      </header>
      ${mail.identities.length > 1 && html`
        <label class="field">
          <span>${t("from")}</span>
          <select value=${draft.identityId} onChange=${(event) => draft.edit({ identityId: event.target.value })}>
            ${mail.identities.map((each) => html`<option key=${each.id} value=${each.id}>${writtenAddress(each)}</option>`)}
          </select>
        </label>
      `}
      <div class="to">
        ${address("to", !isAnswer)}
        ${!isWide && html`<button type="button" class="quiet" onClick=${() => setWide(true)}>${t("moreFields")}</button>`}
      </div>
      ${isWide && html`${address("cc")}${address("bcc")}`}
      <label class="field">
        <span>${t("subject")}</span>
        <input value=${draft.subject} onInput=${(event) => draft.edit({ subject: event.target.value })} />
      </label>
      <${Editor} draft=${draft} told=${told} onFiles=${(found) => draft.attach(found)} isFocused=${isAnswer} />
      <${Files} draft=${draft} />
      <p class="fault" role="alert">${fault || draft.fault}</p>
      <footer>
        <button type="button" class="primary" disabled=${isBusy} onClick=${() => send()}>${isBusy ? t("sending") : t("send")}</button>
        ${draft.mayBeDelayed > 0 && later === null && html`
          <button type="button" disabled=${isBusy} onClick=${() => setLater("")}>${t("sendLater")}</button>
        `}
        ${later !== null && html`
          <input type="datetime-local" aria-label=${t("sendAt")} value=${later} onInput=${(event) => setLater(event.target.value)} />
          <button type="button" disabled=${isBusy || !later} onClick=${() => send(new Date(later))}>${t("sendLater")}</button>
        `}
        <input
          ref=${files} type="file" multiple hidden aria-hidden="true"
          onChange=${(event) => {
            draft.attach(event.target.files);
            event.target.value = "";
          }}
        />
        <button type="button" onClick=${() => files.current.click()}>${t("attach")}</button>
        <button type="button" class="quiet last" disabled=${isBusy} onClick=${discard}>${t("discard")}</button>
      </footer>
    </form>
  `;
}

function Files({ draft }) {
  if (!draft.attachments.length) return null;
  return html`
    <ul class="attachments" aria-label=${t("attachments")}>
      ${draft.attachments.map((file) => html`
        <li key=${file}>
          ${file.name || file.type}
          ${!file.blobId && html`<progress value=${file.progress} aria-label=${file.name}></progress>`}
          <button
            type="button" class="quiet" aria-label=${t("removeAttachment", { name: file.name })} onClick=${() => draft.detach(file)}
          >✕</button>
        </li>
      `)}
    </ul>
  `;
}
