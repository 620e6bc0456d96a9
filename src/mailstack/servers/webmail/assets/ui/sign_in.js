import { html, useState } from "../vendor/preact-htm.js";
import { signIn, Unreachable } from "../jmap.js";
import { t } from "../texts.js";
import { Dialog } from "./dialog.js";

export function SignIn({ onSignedIn }) {
  return html`
    <main class="sign-in">
      <${SignInForm} onSignedIn=${onSignedIn}><h1>${t("appName")}</h1><//>
    </main>
  `;
}

// For somebody else: what was being written here is not theirs to see.
function beginAnew() {
  sessionStorage.clear();
  location.reload();
}

// Over what is there, which goes on from where it was.
export function SignInAgain({ connection }) {
  return html`
    <${Dialog} label=${t("signInAgain")} kind="sign-in" isHeld onClose=${() => {}}>
      <${SignInForm} username=${connection.session.username} onSignedIn=${() => connection.resume(beginAnew)}>
        <h2>${t("signInAgain")}</h2>
        <p>${t("signInAgainText")}</p>
      <//>
    <//>
  `;
}

function SignInForm({ username = "", onSignedIn, children }) {
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);

  async function submit(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    setFault("");
    try {
      await signIn(form.get("username"), form.get("password"));
      await onSignedIn();
    } catch (error) {
      setFault(error instanceof Unreachable ? t("unreachable") : error.message || t("wrong"));
      setBusy(false);
    }
  }

  return html`
    <form onSubmit=${submit}>
      ${children}
      <label>
        ${t("address")}
        <input name="username" type="text" inputmode="email" autocomplete="username" required defaultValue=${username} autofocus=${!username} />
      </label>
      <label>
        ${t("password")}
        <input name="password" type="password" autocomplete="current-password" required autofocus=${username !== ""} />
      </label>
      <p role="alert" class="fault">${fault}</p>
      <button class="primary" disabled=${isBusy}>${isBusy ? t("signingIn") : t("signIn")}</button>
    </form>
  `;
}
