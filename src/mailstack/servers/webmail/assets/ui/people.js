import { t } from "../texts.js";

export function personName({ name, email }) {
  return name || email || "";
}

export function senderName(email) {
  return email.from?.length ? personName(email.from[0]) : t("noSender");
}

// "Name <address>", as people write it.
export function writtenAddress({ name, email }) {
  if (!name) return email;
  return /^[\p{L}\p{N} .'-]+$/u.test(name) ? `${name} <${email}>` : `"${name.replace(/["\\]/g, "\\$&")}" <${email}>`;
}
