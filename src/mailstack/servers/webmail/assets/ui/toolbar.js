import { html } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { Icon } from "./icons.js";

// What can be done to `target`: the rows that are chosen, else the message that is open.
export function Toolbar({ mail, target, acting, onMove, onUnread }) {
  const { rows, count } = target;
  const role = mail.mailboxes.get(mail.list?.mailboxId)?.role;
  const has = (keyword) => rows.every((id) => mail.emails.get(id)?.keywords[keyword]);
  const mayMove = count > 0 && mail.edits.may("mayRemoveItems", rows);
  const mayMark = count > 0 && mail.edits.may("maySetKeywords", rows);
  const mayRead = count > 0 && mail.edits.may("maySetSeen", rows);
  const isRead = has("$seen");
  const isFlagged = has("$flagged");
  const tool = (icon, name, isAllowed, act) => html`
    <button key=${icon} disabled=${!isAllowed} title=${t(name)} onClick=${act}><${Icon} name=${icon} /><span>${t(name)}</span></button>
  `;
  return html`
    <div class="actions ${count ? "" : "idle"}" role="toolbar" aria-label=${t("actions")}>
      ${tool("archive", "archive", mayMove && role !== "archive", () => acting.moveToRole(target, "archive"))}
      ${role === "junk"
        ? tool("inbox", "notJunk", mayMove, () => acting.moveToRole(target, "inbox"))
        : tool("junk", "junk", mayMove, () => acting.moveToRole(target, "junk"))}
      ${tool("trash", role === "trash" ? "deleteForGood" : "delete", mayMove, () => acting.remove(target))}
      ${tool("move", "moveTo", mayMove, onMove)}
      ${isRead && count
        ? tool("unread", "markUnread", mayRead, onUnread)
        : tool("read", "markRead", mayRead, () => acting.mark(target, "$seen", true, "markedRead"))}
      ${tool("flag", isFlagged && count ? "unflag" : "flag", mayMark, () => acting.mark(target, "$flagged", !isFlagged, isFlagged ? "unflagged" : "flaggedNow"))}
    </div>
  `;
}
