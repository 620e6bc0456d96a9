import { html, useState } from "../vendor/preact-htm.js";
import { signIn, Unreachable } from "../jmap.js";
import { t } from "../texts.js";

export function SignIn({ onSignedIn }) {
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
    <main class="sign-in">
      <form onSubmit=${submit}>
        <h1>${t("appName")}</h1>
        <label>${t("address")}<input name="username" type="text" inputmode="email" autocomplete="username" required autofocus /></label>
        <label>${t("password")}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p role="alert" class="fault">${fault}</p>
        <button class="primary" disabled=${isBusy}>${isBusy ? t("signingIn") : t("signIn")}</button>
      </form>
    </main>
  `;
}
