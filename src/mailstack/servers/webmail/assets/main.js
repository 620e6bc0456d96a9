import { html, render } from "./vendor/preact-htm.js";
import { Accounts } from "./accounts.js";
import { connect, Connection } from "./connection.js";
import { unescaped } from "./escapes.js";
import { SignedOut, Unreachable } from "./jmap.js";
import { forgetMail, forgetOthers, keep, keepPage, lastKept } from "./kept.js";
import { t } from "./texts.js";
import { App } from "./ui/app.js";
import { SignIn } from "./ui/sign_in.js";

const place = document.getElementById("app");
const RETRY_MS = 3000;

function show(view) {
  render(view, place);
}

async function askWho() {
  await forgetMail();
  show(html`<${SignIn} onSignedIn=${begin} />`);
}

function showMail(accounts) {
  const stopKeeping = keep(accounts);
  const leave = () => {
    stopKeeping();
    askWho();
  };
  show(html`<${App} accounts=${accounts} onSignedOut=${leave} />`);
}

async function begin() {
  try {
    const connection = await connect();
    await forgetOthers(connection.session.username);
    const accounts = new Accounts(connection);
    await accounts.start(unescaped(location.hash.slice(2)));
    showMail(accounts);
    keepPage();
  } catch (error) {
    if (error instanceof SignedOut) return askWho();
    if (!(error instanceof Unreachable)) throw error;
    await beginWithout();
  }
}

// No connection: what was read last is here, if anything was.
async function beginWithout() {
  const last = await lastKept();
  if (last) {
    const accounts = new Accounts(new Connection(last.session));
    accounts.restore(last);
    showMail(accounts);
  } else {
    show(html`<p class="note" role="alert">${t("unreachable")}</p>`);
    setTimeout(begin, RETRY_MS);
  }
}

begin();
