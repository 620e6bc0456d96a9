import { html } from "../../vendor/preact-htm.js";
import { t } from "../../texts.js";
import { mailboxName } from "../mailbox_names.js";
import { Check, Outcome, useAction, useEdits } from "./form.js";

const RIGHTS = {
  mayRead: "mayReadItems", mayAdd: "mayAddItems", mayRemove: "mayRemoveItems", mayRename: "mayRename",
};

export function Folders({ accounts }) {
  return html`
    <p class="hint">${t("foldersHint")}</p>
    <${Subscriptions} mail=${accounts.own} label=${t("mailboxes")} />
    ${accounts.shared.map(({ owner, mail }) => mail.mailboxes.size > 0 && html`
      <section key=${owner}>
        <h2>${t("sharedBy", { owner })}</h2>
        <${Subscriptions} mail=${mail} label=${t("sharedBy", { owner })} isOthers />
      </section>
    `)}
  `;
}

function Subscriptions({ mail, label, isOthers = false }) {
  const action = useAction();
  const { now, change, forget } = useEdits({});

  async function subscribe(box, isSubscribed) {
    change(box.id)(isSubscribed);
    await action.run(async () => {
      try {
        await mail.setMailboxes({ update: { [box.id]: { isSubscribed } } });
      } finally {
        await mail.sync();
        forget();
      }
    });
  }

  return html`
    <ul class="folders" aria-label=${label}>
      ${mail.sortedMailboxes.map((box) => html`
        <li key=${box.id} class="depth-${Math.min(box.depth, 6)}">
          <${Check} label=${mailboxName(box)} isOn=${now[box.id] ?? box.isSubscribed} onChange=${(isOn) => subscribe(box, isOn)} />
          <span class="hint">
            ${t("messageCount", { count: box.totalEmails })}${isOthers ? ` · ${rightsText(box.myRights)}` : ""}
          </span>
        </li>
      `)}
    </ul>
    <${Outcome} action=${action} />
  `;
}

function rightsText(rights) {
  return Object.keys(RIGHTS).filter((key) => rights[RIGHTS[key]]).map((key) => t(key)).join(", ");
}
