// Days as people count them, and the moments that they begin at.

const DAY_RE = /^(\d{4,})-(\d\d)-(\d\d)$/;

function two(number) {
  return String(number).padStart(2, "0");
}

function dayText(date) {
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function midnight(day, later) {
  const [, year, month, date] = DAY_RE.exec(day);
  return new Date(Number(year), Number(month) - 1, Number(date) + later).toISOString().replace(/\.\d+Z$/, "Z");
}

// Of a moment that something begins at, or ends at; "" for none.
export function firstDayOf(moment) {
  return moment ? dayText(new Date(moment)) : "";
}

export function lastDayOf(moment) {
  return moment ? dayText(new Date(new Date(moment).getTime() - 1)) : "";
}

export function beginOf(day) {
  return day ? midnight(day, 0) : null;
}

export function endOf(day) {
  return day ? midnight(day, 1) : null;
}
