import { unescaped } from "../escapes.js";
import { useEffect, useState } from "../vendor/preact-htm.js";

function parts() {
  return location.hash.slice(2).split("/").filter(Boolean).map(unescaped);
}

// Where the address says that one is: what stands behind "#/", by its parts.
export function useRoute() {
  const [route, setRoute] = useState(parts);
  useEffect(() => {
    const read = () => setRoute(parts());
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return route;
}
