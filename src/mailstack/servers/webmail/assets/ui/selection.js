// Which rows of the list are chosen: some, or all that there are, also those that nobody has looked at.

import { useEffect, useRef, useState } from "../vendor/preact-htm.js";

const NONE = { ids: new Set(), isAll: false };

export function useSelection(list) {
  const [chosen, setChosen] = useState(NONE);
  // Where a range begins: what was chosen last by itself.
  const anchor = useRef(null);
  const ids = list?.ids ?? [];

  const clear = () => setChosen(NONE);
  useEffect(clear, [list?.mailboxId, list?.text]);

  function toggle(id) {
    const next = new Set(chosen.isAll ? [] : chosen.ids);
    if (!next.delete(id)) next.add(id);
    anchor.current = id;
    setChosen({ ids: next, isAll: false });
  }

  // With those between, as far as they are here.
  function extendTo(id, from = anchor.current) {
    const begin = ids.indexOf(from);
    const end = ids.indexOf(id);
    if (end < 0) return;
    anchor.current = begin < 0 ? id : from;
    const range = begin < 0 ? [id] : ids.slice(Math.min(begin, end), Math.max(begin, end) + 1).filter(Boolean);
    setChosen({ ids: new Set([...chosen.ids, ...range]), isAll: false });
  }

  const shown = ids.filter(Boolean);
  const here = shown.filter((id) => chosen.ids.has(id));
  return {
    ids: here,
    has: (id) => chosen.isAll || chosen.ids.has(id),
    isAll: chosen.isAll,
    count: chosen.isAll ? list?.total ?? 0 : here.length,
    areShownChosen: shown.length > 0 && here.length === shown.length,
    toggle,
    extendTo,
    chooseShown: () => setChosen({ ids: new Set(shown), isAll: false }),
    chooseAll: () => setChosen({ ids: new Set(shown), isAll: true }),
    clear,
  };
}
