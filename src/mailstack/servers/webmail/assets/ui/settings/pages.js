// The settings: a list of pages, and the one that the address names.

import { html, useEffect, useRef, useState } from "../../vendor/preact-htm.js";
import { QUOTA, SIEVE, SUBMISSION, VACATION } from "../../jmap.js";
import { t } from "../../texts.js";
import { useChanges } from "../hooks.js";
import { useRoute } from "../route.js";
import { Folders } from "./folders.js";
import { Identities } from "./identities.js";
import { Rules } from "./rules.js";
import { Storage } from "./storage.js";
import { Vacation } from "./vacation.js";

const PAGES = {
  vacation: { capability: VACATION, view: Vacation },
  identities: { capability: SUBMISSION, view: Identities },
  rules: { capability: SIEVE, view: Rules },
  folders: { capability: null, view: Folders },
  storage: { capability: QUOTA, view: Storage },
};

export function Pages({ accounts }) {
  useChanges(accounts);
  const [, asked] = useRoute();
  const { jmap } = accounts.own;
  const offered = Object.keys(PAGES).filter((key) => !PAGES[key].capability || jmap.has(PAGES[key].capability));
  const shown = offered.includes(asked) ? asked : offered[0];
  const heading = useRef(null);
  useEffect(() => heading.current.focus(), [shown]);
  const isAdmin = useIsAdmin(accounts.connection);

  return html`
    <div class="settings">
      <header class="bar">
        <a class="button" href="#/">${t("backToMail")}</a>
        <strong>${t("settings")}</strong>
      </header>
      ${!accounts.own.isOnline && html`<p class="offline" role="status">${t("offline")}</p>`}
      <nav aria-label=${t("settings")}>
        <ul>
          ${offered.map((key) => html`
            <li key=${key}>
              <a href="#/settings/${key}" aria-current=${key === shown ? "page" : null}>${t(key)}</a>
            </li>
          `)}
          <li><a href="/account">${t("account")}</a></li>
          ${isAdmin && html`<li><a href="/admin">${t("admin")}</a></li>`}
        </ul>
      </nav>
      <main>
        <h1 ref=${heading} tabindex="-1">${t(shown)}</h1>
        <${PAGES[shown].view} key=${shown} accounts=${accounts} jmap=${jmap} />
      </main>
    </div>
  `;
}

// Pages that others have no use for are not pointed at.
function useIsAdmin(connection) {
  const [isAdmin, setIsAdmin] = useState(false);
  useEffect(() => {
    const ask = async () => (await connection.ask("/sign-in")).json();
    ask().then(({ roles }) => setIsAdmin(roles.includes("admin")), () => {});
  }, []);
  return isAdmin;
}
