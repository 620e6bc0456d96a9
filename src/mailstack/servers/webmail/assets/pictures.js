// Whose pictures are fetched without being asked each time: the server keeps that, and decides for which mail it is so.

import { asked } from "./jmap.js";

export function shownPath(accountId, emailId) {
  return `/mail/shown/${encodeURIComponent(accountId)}/${encodeURIComponent(emailId)}`;
}

// For whoever wrote that email.
export async function setAlwaysShown(accountId, emailId, isAlways) {
  await asked(`${shownPath(accountId, emailId)}/always`, { method: isAlways ? "PUT" : "DELETE" });
}
