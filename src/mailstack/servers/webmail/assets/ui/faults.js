import { Unreachable } from "../jmap.js";
import { t } from "../texts.js";

// What went wrong, for people.
export function faultText(error) {
  if (error instanceof Unreachable) return t("unreachable");
  if (error.type === "stateMismatch") return t("changedElsewhere");
  return t("failed", { reason: error.message });
}
