const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const STEP = 1024;

export function sizeText(octets) {
  let size = octets;
  let at = 0;
  while (size >= STEP && at < UNITS.length - 1) {
    size /= STEP;
    at++;
  }
  const form = { style: "unit", unit: UNITS[at], unitDisplay: at ? "short" : "long", maximumFractionDigits: size < 10 && at ? 1 : 0 };
  return new Intl.NumberFormat(undefined, form).format(size);
}
