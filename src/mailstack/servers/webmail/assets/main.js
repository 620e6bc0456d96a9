import { html, render } from "./vendor/preact-htm.js";
import { Accounts } from "./accounts.js";
import { connect } from "./connection.js";
import { SignedOut, Unreachable } from "./jmap.js";
import { t } from "./texts.js";
import { App } from "./ui/app.js";
import { SignIn } from "./ui/sign_in.js";

const place = document.getElementById("app");
const RETRY_MS = 3000;

function show(view) {
  render(view, place);
}

function askWho() {
  show(html`<${SignIn} onSignedIn=${begin} />`);
}

async function begin() {
  try {
    const accounts = new Accounts(await connect());
    await accounts.start(decodeURIComponent(location.hash.slice(2)));
    show(html`<${App} accounts=${accounts} onSignedOut=${askWho} />`);
  } catch (error) {
    if (error instanceof SignedOut) return askWho();
    if (!(error instanceof Unreachable)) throw error;
    show(html`<p class="note" role="alert">${t("unreachable")}</p>`);
    setTimeout(begin, RETRY_MS);
  }
}

begin();
