// Addresses as people write them into a field: `a@x.example, Name <b@x.example>`.

const ONE = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^<>",]*?))?\s*<\s*([^<>\s]+@[^<>\s]+)\s*>\s*$/;
const BARE = /^\s*([^<>\s,]+@[^<>\s,]+)\s*$/;
// Commas within quotes part nothing.
const PARTS = /(?:"(?:[^"\\]|\\.)*"|[^",;])+/g;

export class WrongAddress extends Error {}

// Raises WrongAddress, with what is none.
export function readAddresses(text) {
  return (text.match(PARTS) ?? []).filter((part) => part.trim()).map((part) => {
    const bare = BARE.exec(part);
    if (bare) return { name: null, email: bare[1] };
    const whole = ONE.exec(part);
    if (!whole) throw new WrongAddress(part.trim());
    return { name: whole[1]?.replace(/\\(.)/g, "$1") || whole[2]?.trim() || null, email: whole[3] };
  });
}
