import { useEffect, useReducer } from "../vendor/preact-htm.js";

// Renders anew whenever the observable tells of a change.
export function useChanges(observable) {
  const [, again] = useReducer((count) => count + 1, 0);
  useEffect(() => observable.watch(() => again()), [observable]);
}
