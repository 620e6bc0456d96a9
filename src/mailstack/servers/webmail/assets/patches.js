// Changes of an email as JMAP writes them, done here at once, and taken back. RFC 8620 §5.3: a path, and what is to be there.

const SETS = ["keywords", "mailboxIds"];

export function keywordPatch(keyword, isSet) {
  return { [`keywords/${keyword}`]: isSet ? true : null };
}

// fromId: null for out of all mailboxes, as what goes to Trash or Junk does.
export function movePatch(fromId, toId) {
  if (!fromId || fromId === toId) return { mailboxIds: { [toId]: true } };
  return { [`mailboxIds/${fromId}`]: null, [`mailboxIds/${toId}`]: true };
}

export function patched(email, patch) {
  const after = { ...email };
  for (const [path, value] of Object.entries(patch)) {
    const [name, key] = parts(path);
    if (!key) after[name] = value;
    else {
      after[name] = { ...after[name] };
      if (value) after[name][key] = true;
      else delete after[name][key];
    }
  }
  return after;
}

// What makes of `patched(email, patch)` what it was.
export function reverse(email, patch) {
  const back = {};
  for (const path of Object.keys(patch)) {
    const [name, key] = parts(path);
    back[path] = key ? (email[name][key] ? true : null) : email[name];
  }
  return back;
}

function parts(path) {
  const name = SETS.find((each) => path === each || path.startsWith(`${each}/`));
  return [name, path.slice(name.length + 1)];
}
