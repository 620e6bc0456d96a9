// Keys that act, wherever nobody is typing.

import { useEffect, useRef } from "../vendor/preact-htm.js";

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable], [role=dialog] *, dialog";

export function useKeys(actions) {
  // Those of what is shown now: keys come faster than effects.
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKeyDown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target.closest?.(TYPING)) return;
      const action = latest.current[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
