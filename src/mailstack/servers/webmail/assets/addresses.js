// Addresses as people type them: "Name <a@b.example>, c@d.example". RFC 5322 §3.4, without groups.

const ONE = /(?:"((?:[^"\\]|\\.)*)"|([^<>",;]*?))\s*<([^<>\s]*)>|([^<>",;\s]+)/gu;
const ADDRESS = /^[^\s@<>,;"]+@[^\s@<>,;"]+$/u;

export function parseAddresses(text) {
  const found = [];
  for (const [, quoted, name, inBrackets, bare] of text.matchAll(ONE)) {
    const shown = (quoted?.replace(/\\(.)/g, "$1") ?? name ?? "").trim();
    found.push({ name: bare ? null : shown || null, email: bare ?? inBrackets });
  }
  return found;
}

export function isAddress(email) {
  return ADDRESS.test(email);
}

// What is being typed at the end: the part that suggestions are for.
export function lastTyped(text) {
  return text.slice(text.search(/[^,;]*$/)).trimStart();
}

export function withLast(text, written) {
  const before = text.slice(0, text.search(/[^,;]*$/)).trimEnd();
  return `${before}${before ? " " : ""}${written}, `;
}
