/* Money is a whole number of 10^-12 units (BigInt) from the mart to the sum; only what is shown is rounded. */
const PLACES = 12;
const ONE = 10n ** BigInt(PLACES);
const MINUS = "\u2212";
const NONE = "\u2013";
const THIN = "\u202f";

/* "12.5" -> 12500000000000n; null stays null. Digits beyond the twelfth would be lost, so they are an error. */
function units(text) {
  if (text === null || text === undefined) return null;
  const found = /^(-?)(\d+)(?:\.(\d*))?$/.exec(String(text));
  if (!found || (found[3] || "").length > PLACES) throw new Error("not an amount of at most 12 places: " + text);
  const whole = BigInt(found[2] + (found[3] || "").padEnd(PLACES, "0"));
  return found[1] ? -whole : whole;
}

function magnitude(value) {
  return value < 0n ? -value : value;
}

/* To `decimals` places, halves away from zero, in units of the last place. */
function rounded(value, decimals) {
  const step = 10n ** BigInt(PLACES - decimals);
  const size = (magnitude(value) + step / 2n) / step;
  return value < 0n ? -size : size;
}

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/* A whole number of the last place as text: (123456n, 2) -> "1,234.56". */
function placed(value, decimals) {
  const digits = magnitude(value).toString().padStart(decimals + 1, "0");
  const whole = grouped(digits.slice(0, digits.length - decimals));
  return decimals ? whole + "." + digits.slice(-decimals) : whole;
}

function decimalsOf(currency) {
  const known = core.decimals[currency];
  return known === undefined ? 2 : known;
}

function withSign(text, value, signed) {
  return (value < 0n ? MINUS : signed && value > 0n ? "+" : "") + text;
}

function symbol(currency) {
  return currency === "USD" ? "$" : currency + "\u00a0";
}

/* An amount as people read it, rounded by itself: wherever it stands it has the same digits. */
function money(value, currency, signed) {
  if (value === null) return NONE;
  if (view.exact) return exactMoney(value, currency, signed);
  const places = decimalsOf(currency);
  const shown = rounded(value, places);
  return withSign(symbol(currency) + placed(shown, places), shown, signed);
}

/* All digits that there are, and the currency's own at least. */
function exactMoney(value, currency, signed) {
  const text = placed(value, PLACES).replace(/0+$/, "");
  const least = decimalsOf(currency);
  const [whole, rest] = text.split(".");
  return withSign(symbol(currency) + whole + (least || rest ? "." + (rest || "").padEnd(least, "0") : ""), value, signed);
}

/* An amount that may be a part of a cent: three digits of it, and never a zero that is none. */
function fine(value, currency) {
  if (value === null || value === 0n || view.exact) return money(value, currency);
  const places = Math.min(PLACES, Math.max(decimalsOf(currency), PLACES - magnitude(value).toString().length + 3));
  return withSign(symbol(currency) + placed(rounded(value, places), places), value);
}

/* Parts and the sum they come to, as they are read: each rounded by itself, like everywhere, where that adds up; else
   with the digits without which it does not. */
function addedUp(parts, sum, currency) {
  const all = [...parts, sum];
  const places = decimalsOf(currency);
  const add = (some) => some.reduce((left, value) => left + value, 0n);
  const fits = add(parts.map((value) => rounded(value, places))) === rounded(sum, places);
  return all.map((value) => (fits ? money(value, currency) : exactMoney(value, currency)));
}

/* The exact digits, for files: "1234.5". */
function exactText(value) {
  if (value === null) return "";
  const digits = magnitude(value).toString().padStart(PLACES + 1, "0");
  const rest = digits.slice(-PLACES).replace(/0+$/, "");
  return (value < 0n ? "-" : "") + digits.slice(0, -PLACES) + (rest ? "." + rest : "");
}

/* For lengths of bars and shares alone: never shown as money, never summed. */
function size(value) {
  return Number(value) / 1e12;
}

function count(value) {
  return grouped(String(value));
}

function percent(ratio, signed) {
  if (ratio === null || !Number.isFinite(ratio)) return NONE;
  const tenths = Math.round(Math.abs(ratio) * 1000);
  const text = grouped(String(Math.floor(tenths / 10))) + "." + (tenths % 10) + THIN + "%";
  return (ratio < 0 && tenths ? MINUS : signed && tenths ? "+" : "") + text;
}

function share(part, whole) {
  return whole > 0n && part >= 0n ? percent(size(part) / size(whole)) : NONE;
}

/* Short figures for axes and bars. */
function short(number, currency) {
  const steps = [[1e9, "bn"], [1e6, "M"], [1e3, "k"]];
  const step = steps.find(([least]) => Math.abs(number) >= least);
  const value = Math.abs(step ? number / step[0] : number);
  const text = value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(2);
  const amount = Number(text).toString() + (step ? step[1] : "");
  return (number < 0 ? MINUS : "") + (currency === null ? amount : symbol(currency) + amount);
}

function tokens(value) {
  return value === null ? NONE : short(size(value), null);
}

function hours(seconds) {
  const tenths = (seconds * 10n) / (3600n * ONE);
  return grouped((tenths / 10n).toString()) + "." + (tenths % 10n) + " h";
}
