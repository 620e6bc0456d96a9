import { html } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { mailboxName } from "./mailbox_names.js";

// Above the rows: what is chosen of them, and how to choose all.
export function ListHead({ list, mailbox, selection }) {
  if (!list?.total) return null;
  const isSome = selection.count > 0 && !selection.areShownChosen;
  const mayChooseAll = selection.areShownChosen && !selection.isAll && list.total > selection.count;
  return html`
    <div class="list-head">
      <label>
        <input
          type="checkbox" checked=${selection.areShownChosen} ref=${(element) => element && (element.indeterminate = isSome)}
          onChange=${(event) => (event.target.checked ? selection.chooseShown() : selection.clear())}
        />
        <span>${selection.count ? t("selected", { count: selection.count }) : t("selectShown")}</span>
      </label>
      ${mayChooseAll && html`
        <button onClick=${selection.chooseAll}>
          ${mailbox ? t("selectAllIn", { count: list.total, mailbox: mailboxName(mailbox) }) : t("selectAllFound", { count: list.total })}
        </button>
      `}
    </div>
  `;
}
