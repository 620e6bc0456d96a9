// Addresses as people type and paste them: "Name <a@b.example>, Team: c@d.example, e@f.example;". RFC 5322 §3.4.

const GROUP = /^[^"<>@:]*:/u;
const NAMED = /^(.*?)\s*<([^<>]*)>$/su;
const LABEL = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?$/u;
const LITERAL = /^\[[\dA-Fa-f:.]+\]$|^\[IPv6:[\dA-Fa-f:.]+\]$/;
// RFC 5321 §4.5.3.1
const MOST = { local: 64, address: 254, label: 63 };

export function parseAddresses(text) {
  return pieces(text).flatMap(addressesIn);
}

// What stands between separators, and last what is still being typed, which may be "".
export function pieces(text) {
  const found = [""];
  let isQuoted = false;
  let isInBrackets = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (isQuoted && sign === "\\") {
      found[found.length - 1] += sign + (text[++at] ?? "");
      continue;
    }
    if (sign === '"') isQuoted = !isQuoted;
    if (!isQuoted && (sign === "<" || sign === ">")) isInBrackets = sign === "<";
    if (!isQuoted && !isInBrackets && /[,;\r\n]/.test(sign)) found.push("");
    else found[found.length - 1] += sign;
  }
  return found;
}

function addressesIn(piece) {
  const text = piece.replace(GROUP, "").trim();
  if (!text) return [];
  const named = NAMED.exec(text);
  if (named) return [{ name: unquoted(named[1]) || null, email: named[2].trim() }];
  const words = text.split(/\s+/);
  if (words.length > 1 && words.every((word) => word.includes("@"))) return words.map((email) => ({ name: null, email }));
  // As tables have them: a name, and its address behind it.
  const last = words.at(-1);
  if (words.length > 1 && last.includes("@")) return [{ name: unquoted(words.slice(0, -1).join(" ")), email: last }];
  return [{ name: null, email: text }];
}

function unquoted(name) {
  return name.trim().replace(/^"(.*)"$/s, "$1").replace(/\\(.)/gs, "$1").trim();
}

// The key of a text that says what is wrong with it; "" for nothing.
export function whyNoAddress(email) {
  const at = email.lastIndexOf("@");
  if (at < 0) return "addressWithoutAt";
  const [local, domain] = [email.slice(0, at), email.slice(at + 1)];
  if (!local || !domain) return "addressHalf";
  if (!/^"(?:[^"\\]|\\.)+"$/s.test(local) && /[\s@<>()[\]\\,;:"]|^\.|\.\.|\.$/u.test(local)) return "addressLocal";
  const isDomain = LITERAL.test(domain) || domain.split(".").every((label) => LABEL.test(label) && label.length <= MOST.label);
  if (!isDomain) return "addressDomain";
  return local.length > MOST.local || email.length > MOST.address ? "addressLong" : "";
}
