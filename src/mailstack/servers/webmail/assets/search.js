// What people type to search, as a filter. RFC 8621 §4.4.1. Words that mean nothing as an operator are words.

const PART = /(-?)(?:(\p{L}+):)?(?:"([^"]*)"?|(\S+))/gu;
const HEADERS = new Set(["from", "to", "cc", "bcc", "subject", "body"]);
const STATES = {
  unread: { notKeyword: "$seen" }, read: { hasKeyword: "$seen" }, flagged: { hasKeyword: "$flagged" },
  unflagged: { notKeyword: "$flagged" }, answered: { hasKeyword: "$answered" }, draft: { hasKeyword: "$draft" },
};
const SIZE = /^(\d+(?:\.\d+)?)([km]?)b?$/i;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const OCTETS = { "": 1, k: 1000, m: 1_000_000 };

// mailboxes: those that in: may name, with name, role and id. null where nothing is asked for.
export function parseSearch(text, mailboxes = []) {
  const conditions = [];
  for (const [, minus, operator, phrase, word] of text.matchAll(PART)) {
    const value = phrase ?? word;
    const name = operator?.toLowerCase();
    const written = phrase === undefined ? value : `"${phrase}"`;
    const found = name && (HEADERS.has(name) ? { [name]: written } : condition(name, value, mailboxes));
    const meant = found || { text: name ? `${operator}:${written}` : written };
    if (value) conditions.push(minus ? { operator: "NOT", conditions: [meant] } : meant);
  }
  if (!conditions.length) return null;
  return conditions.length === 1 ? conditions[0] : { operator: "AND", conditions };
}

function condition(name, value, mailboxes) {
  if (name === "is") return STATES[value.toLowerCase()];
  if (name === "has") return value.toLowerCase() === "attachment" ? { hasAttachment: true } : undefined;
  if (name === "in") return inMailbox(value.toLowerCase(), mailboxes);
  if (name === "before" || name === "after") return day(name, value);
  if (name === "larger" || name === "smaller") return size(name === "larger" ? "minSize" : "maxSize", value);
  return undefined;
}

function inMailbox(asked, mailboxes) {
  const found = mailboxes.find((box) => box.role === asked || box.name.toLowerCase() === asked);
  return found && { inMailbox: found.id };
}

// Days are those of who asks: the whole day of after: counts, that of before: does not.
function day(name, value) {
  const date = new Date(`${value}T00:00:00`);
  if (!DAY.test(value) || Number.isNaN(date.getTime())) return undefined;
  return { [name]: date.toISOString().replace(/\.\d+Z$/, "Z") };
}

function size(name, value) {
  const found = SIZE.exec(value);
  return found ? { [name]: Math.round(Number(found[1]) * OCTETS[found[2].toLowerCase()]) } : undefined;
}

// RFC 8621 §5: a snippet is text with <mark>, and nothing else of it is markup.
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'", "#34": '"' };

export function markedParts(snippet) {
  return snippet.split(/<mark>|<\/mark>/).map((part, at) => ({
    text: part.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole), isMarked: at % 2 === 1,
  }));
}
