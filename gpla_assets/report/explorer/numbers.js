// Numbers as people read them: rounded to what they mean, a dash where there is none.

export const NONE = "–";
const missing = (number) => number === null || number === undefined || Number.isNaN(number);

export function plain(number, digits = 2) {
  if (missing(number)) return NONE;
  const text = number.toFixed(digits).replace("-", "−");
  return Number(number.toFixed(digits)) === 0 ? text.replace("−", "") : text;
}

export function signed(number, digits = 2) {
  const text = plain(number, digits);
  return missing(number) || text.startsWith("−") || !(Number(number.toFixed(digits)) > 0)
    ? text
    : `+${text}`;
}

export function interval(low, high, show = plain) {
  return missing(low) || missing(high) ? "" : `[${show(low)}, ${show(high)}]`;
}

export function percent(share) {
  if (missing(share)) return NONE;
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)}%`;
}

export function whole(number) {
  return missing(number) ? NONE : Math.round(number).toLocaleString("en");
}

/** Any cell of a table: whole numbers whole, others with the digits that they need. */
export function general(value) {
  if (missing(value)) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 10000 ? plain(value, 0) : whole(value);
  const size = Math.abs(value);
  if (size < 0.0005) return value < 0 ? "> −0.001" : "< 0.001";
  return plain(value, size < 0.1 ? 3 : size < 100 ? 2 : 0);
}
