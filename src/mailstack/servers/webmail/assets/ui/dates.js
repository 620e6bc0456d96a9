const DAY_MS = 86_400_000;
const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

// As short as a list needs it: the time today, the day this year, else with the year.
export function shortDate(text, now = new Date()) {
  const date = new Date(text);
  if (now - date < DAY_MS && now.getDate() === date.getDate()) return timeOfDay.format(date);
  return now.getFullYear() === date.getFullYear() ? dayOfYear.format(date) : day.format(date);
}

export function longDate(text) {
  return whole.format(new Date(text));
}
