// What stands below a message, by whom it is from.

import { htmlOf, nodesOfHtml, nodesOfText, plainOf, SIGNATURE } from "./rich.js";

// Empty where there is none: another's may come to stand there.
export function signatureOf(identity) {
  const place = document.createElement("div");
  place.className = SIGNATURE;
  if (!identity?.htmlSignature && !identity?.textSignature) return place;
  place.append(nodesOfText("-- "));
  place.append(identity.htmlSignature ? nodesOfHtml(identity.htmlSignature) : nodesOfText(identity.textSignature));
  return place;
}

// The texts of a draft that is to be from another; what was changed by hand stays as it is.
export function signedBy(draft, identity) {
  const [before, after] = [signatureOf(draft.identity), signatureOf(identity)];
  return draft.isRich ? inHtml(draft, before, after) : inText(draft.text, plainOf(before), plainOf(after));
}

function inHtml(draft, before, after) {
  const root = document.createElement("div");
  root.append(nodesOfHtml(draft.html, (cid) => draft.pictureUrl(cid)));
  const place = [...root.children].find((each) => each.className === SIGNATURE);
  if (!place || htmlOf(place) !== htmlOf(before)) return {};
  place.replaceWith(after);
  return { html: htmlOf(root), text: plainOf(root) };
}

// Where there was none: above what is quoted.
function inText(text, before, after) {
  if (before) {
    const at = `\n${text}\n`.indexOf(`\n${before}\n`);
    return at < 0 ? {} : { text: `${text.slice(0, at)}${after}${text.slice(at + before.length)}` };
  }
  const quote = text.search(/^[^>\n].*\n>/m);
  const at = quote < 0 ? text.length : quote;
  return after ? { text: `${text.slice(0, at).trimEnd()}\n\n${after}\n${quote < 0 ? "" : "\n"}${text.slice(at)}` } : {};
}
