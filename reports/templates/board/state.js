/* What is being looked at. It stands in the address behind #, so that a view can be kept and sent. */
const DIMENSIONS = [
  ["account", "Team"],
  ["unit", "Business unit"],
  ["provider", "Provider"],
  ["service", "Service"],
  ["model", "Model"],
  ["feature", "Feature"],
  ["product", "Product"],
  ["ledger", "Ledger account"],
  ["kind", "Kind"],
  ["rule", "How charged"],
];
const view = { month: null, by: "account", filters: {}, day: null, exact: false, more: {}, picks: {}, gpu: {} };
const watchers = [];

function dimensionText(name) {
  return DIMENSIONS.find(([dimension]) => dimension === name)[1];
}

function month() {
  return core.months.find((one) => one.month === view.month);
}

function monthBefore() {
  return core.months[core.months.indexOf(month()) - 1] || null;
}

/* Changes the view and draws what depends on it. */
async function go(changes) {
  Object.assign(view, changes);
  keepAddress();
  await drawAll();
}

/* What may be chosen within a section, and of which choices; null where its rows decide. */
function picks() {
  const ofRows = { provider: null, savedIn: null, lever: null, whyCurrency: null, factor: null };
  return { gpuBy: GPU_BY, outcomes: OUTCOME_LEVELS, requests: REQUEST_LEVELS, savedBy: SAVED_BY, whyBy: WHY_BY, ...ofRows };
}

function pick(name, value) {
  return go({ picks: { ...view.picks, [name]: value } });
}

/* One of a section's choices, the first where nothing or something else is picked. */
function pickedOf(name, choices) {
  return choices.some(([value]) => value === view.picks[name]) ? view.picks[name] : choices[0][0];
}

function addFilter(name, value) {
  const filters = { ...view.filters };
  if (filters[name] === value) delete filters[name];
  else filters[name] = value;
  return go({ filters, more: {} });
}

/* The spend and the lines of what something else on the page is about. */
async function showFiltered(filters) {
  await go({ filters, day: null, more: {} });
  document.getElementById("spend-title").focus();
}

function address() {
  const kept = new URLSearchParams({ month: view.month, by: view.by });
  for (const [name, value] of Object.entries(view.filters)) kept.set("is-" + name, value);
  if (view.day) kept.set("day", view.day);
  if (view.exact) kept.set("exact", "1");
  for (const [name, value] of Object.entries(view.picks)) if (value) kept.set("at-" + name, value);
  for (const [name, value] of Object.entries(view.gpu)) kept.set("gpu-" + name, value);
  return kept;
}

function keepAddress() {
  history.replaceState(null, "", "#" + address());
}

/* Reads the address; what it names and this file does not hold is left out. */
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const months = core.months.map((one) => one.month);
  view.month = months.includes(asked.get("month")) ? asked.get("month") : months[months.length - 1];
  if (DIMENSIONS.some(([name]) => name === asked.get("by"))) view.by = asked.get("by");
  view.filters = {};
  for (const [name] of DIMENSIONS) {
    const value = asked.get("is-" + name);
    if (value !== null && words[name].codes.has(value)) view.filters[name] = value;
  }
  view.day = asked.get("day") && words.day.codes.has(asked.get("day")) ? asked.get("day") : null;
  view.exact = asked.get("exact") === "1";
  view.picks = {};
  for (const [name, choices] of Object.entries(picks())) {
    const value = asked.get("at-" + name);
    if (value && (choices === null || choices.some(([each]) => each === value))) view.picks[name] = value;
  }
  view.gpu = {};
  for (const name of ["currency", ...GPU_BY.map(([each]) => each)]) {
    const value = asked.get("gpu-" + name);
    if (value !== null && words[name].codes.has(value)) view.gpu[name] = value;
  }
}

/* The rows that the filters let through; `but` names filters that do not count this time. */
function chosen(table, but) {
  const wanted = Object.entries(view.filters).filter(([name]) => !(but || []).includes(name));
  const tests = wanted.map(([name, value]) => [table[name], words[name].codes.get(value)]);
  if (view.day && !(but || []).includes("day")) tests.push([table.day, words.day.codes.get(view.day)]);
  if (!tests.length) return everyRow(table);
  const found = [];
  for (let row = 0; row < table.rows; row += 1) {
    if (tests.every(([column, code]) => column[row] === code)) found.push(row);
  }
  return found;
}

/* Sums of one column by the codes of another: Map of code -> BigInt. */
function sums(rows, by, column) {
  const found = new Map();
  for (const row of rows) found.set(by[row], (found.get(by[row]) || 0n) + column[row]);
  return found;
}

/* What has no exchange rate, by the codes of a column: Map of code -> Map of currency -> BigInt, in that currency. */
function apart(table, rows, by) {
  const found = new Map();
  for (const row of rows) {
    if (table.known[row]) continue;
    if (!found.has(by[row])) found.set(by[row], new Map());
    const amounts = found.get(by[row]);
    const currency = words.currency.values[table.currency[row]];
    amounts.set(currency, (amounts.get(currency) || 0n) + table.own[row]);
  }
  return found;
}

function apartText(amounts) {
  return Array.from(amounts.entries()).sort().map(([currency, amount]) => money(amount, currency)).join(" + ");
}

/* The codes of a column among rows that are in sums. A code without one has no cost to show: never a zero. */
function inSums(table, rows, by) {
  const found = new Set();
  for (const row of rows) if (table.known[row]) found.add(by[row]);
  return found;
}

/* Codes by size of their sum, the largest first; what is equal by name. */
function ranked(found, name) {
  return Array.from(found.entries()).sort((a, b) => {
    const one = magnitude(a[1]);
    const other = magnitude(b[1]);
    if (one !== other) return one > other ? -1 : 1;
    return label(name, a[0]) < label(name, b[0]) ? -1 : 1;
  });
}
