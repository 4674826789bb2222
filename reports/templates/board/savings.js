/* What the month could have cost less: by lever or team, then line by line with the rows that each rests on. */
const SAVED_BY = [
  ["lever", "Lever"],
  ["account", "Team"],
];

async function drawSavings(host) {
  const one = month();
  const rows = await monthRows("savings", one);
  if (!rows) return show(host, sentence("This snapshot does not say what could be saved."), verified());
  if (!rows.length) return show(host, sentence("Nothing is known that would have saved money in " + one.label + "."), verified());
  rows.forEach((row) => Object.assign(row, { mean: units(row.saving) || 0n, low: units(row.saving_p10), half: units(row.saving_p50), high: units(row.saving_p90), unproven: units(row.unproven_cost) }));
  const sizes = new Map();
  for (const row of rows) sizes.set(row.billing_currency, (sizes.get(row.billing_currency) || 0n) + row.mean);
  const currencies = Array.from(sizes.keys()).sort((a, b) => (sizes.get(a) === sizes.get(b) ? (a < b ? -1 : 1) : sizes.get(a) < sizes.get(b) ? 1 : -1));
  const currency = currencies.includes(view.picks.savedIn) ? view.picks.savedIn : currencies[0];
  if (!rows.some((row) => row.lever === view.picks.lever)) view.picks.lever = null;
  const own = rows.filter((row) => row.billing_currency === currency && (view.filters.account === undefined || row.account === view.filters.account));
  const by = view.picks.savedBy === "account" ? "account" : "lever";
  const shown = view.picks.lever ? own.filter((row) => row.lever === view.picks.lever) : own;
  show(
    host,
    currencies.length > 1 && choice("saved-in", "Billed in", currencies.map((each) => [each, each]), currency, (each) => pick("savedIn", each)),
    sentence(money(own.reduce((sum, row) => sum + row.mean, 0n), currency) + " less, were each lever as successful as is likely in the mean" + (view.filters.account === undefined ? "." : ", of " + accountText(view.filters.account) + ".")),
    choice("saved-by", "By", SAVED_BY, by, (name) => pick("savedBy", name)),
    leverChip(),
    savedTable(by === "lever" ? own : shown, by, currency, one),
    savingLines(shown.filter((row) => row.high !== null && row.high > 0n), currency, one),
    unprovenTable(shown.filter((row) => row.unproven > 0n), currency, one),
    verified(),
  );
}

function leverText(lever) {
  return core.told.lever[lever] || lever.replace(/_/g, " ");
}

function leverChip() {
  if (!view.picks.lever) return null;
  const text = leverText(view.picks.lever);
  return h("div", { class: "chips" }, h("span", { class: "label" }, "Shown only: "), button([text, h("span", { "aria-hidden": "true" }, " \u00d7")], () => pickLever(view.picks.lever), { class: "chip", "aria-label": "Remove filter " + text, "data-focus": "chip-lever" }));
}

function pickLever(lever) {
  return pick("lever", view.picks.lever === lever ? null : lever);
}

/* Means add up, because each lever acts on what those before it leave; quantiles never do. */
function savedTable(rows, by, currency, one) {
  const found = new Map();
  for (const row of rows) found.set(row[by], (found.get(row[by]) || 0n) + row.mean);
  const list = Array.from(found.entries()).filter((each) => each[1] !== 0n).map(([value, amount]) => ({ value, amount }));
  list.sort((a, b) => (a.amount === b.amount ? (a.value < b.value ? -1 : 1) : a.amount < b.amount ? 1 : -1));
  const most = Math.max(...list.map((row) => size(row.amount)), 0);
  const least = Math.min(...list.map((row) => size(row.amount)), 0);
  const title = by === "lever" ? "Lever" : "Team";
  const columns = [
    { head: title, cell: (row) => savedPick(by, row.value), file: (row) => row.value },
    { head: "", wide: true, cell: (row) => rowBar([{ value: row.amount, paint: "3", open: isOpen(one) }], most, least), file: () => "" },
    { head: "In the mean", figure: true, main: true, cell: (row) => money(row.amount, currency), file: (row) => exactText(row.amount) },
  ];
  const foot = ["Total", "", money(list.reduce((sum, row) => sum + row.amount, 0n), currency)];
  return dataTable({ name: "saved-" + by, caption: "What could be saved by " + title.toLowerCase() + ", " + one.label, columns, rows: list, limit: 12, redraw: drawAll, foot });
}

function savedPick(by, value) {
  const isPicked = by === "lever" ? view.picks.lever === value : view.filters.account === value;
  const pick = by === "lever" ? () => pickLever(value) : () => addFilter("account", value);
  return button(by === "lever" ? leverText(value) : accountText(value), pick, { class: "pick" + (isPicked ? " picked" : ""), "aria-pressed": String(isPicked), "data-focus": "saved-" + by + "-" + value });
}

/* Each line by what nine of ten draws reach, with the query whose rows it rests on. */
function savingLines(rows, currency, one) {
  rows.sort((a, b) => (a.low === b.low ? a.lever_order - b.lever_order || (a.account < b.account ? -1 : 1) : a.low < b.low ? 1 : -1));
  const amount = (name) => ({ figure: true, cell: (row) => money(row[name], currency), file: (row) => exactText(row[name]) });
  const columns = [
    { head: "Line", cell: (row) => named(leverText(row.lever), accountText(row.account) + " \u00b7 grade " + row.confidence), file: (row) => row.account + ", " + row.lever + ", grade " + row.confidence },
    { head: "Rests on", wide: true, cell: evidence, file: (row) => row.evidence },
    { head: "At least", ...amount("low"), main: true },
    { head: "Half of draws", ...amount("half") },
    { head: "One in ten", ...amount("high") },
  ];
  const note = "At least: what nine of ten draws reach; no column adds up. Grade A is arithmetic on observed rows, B rests on an assumption about what else would have happened, C needs a test of quality.";
  return [h("h3", {}, "Line by line, with evidence"), dataTable({ name: "saving-lines", caption: "What could be saved, line by line, " + one.label, columns, rows, limit: 8, redraw: drawAll, note })];
}

function evidence(row) {
  return h("details", { class: "evidence" }, h("summary", {}, plural(row.evidence_row_count, "row", "rows")), h("p", { class: "note" }, row.assumption), h("code", {}, 'farthing query "' + row.evidence + '"'));
}

function unprovenTable(rows, currency, one) {
  if (!rows.length) return null;
  rows.sort((a, b) => (a.unproven === b.unproven ? a.lever_order - b.lever_order : a.unproven < b.unproven ? 1 : -1));
  const columns = [
    { head: "Nothing can be said of", cell: (row) => named(leverText(row.lever), accountText(row.account)), file: (row) => row.account + ", " + row.lever },
    { head: "Why", cell: (row) => core.told.unproven[row.reason] || (row.reason || NONE).replace(/_/g, " "), file: (row) => row.reason },
    { head: "Its cost", figure: true, main: true, cell: (row) => money(row.unproven, currency), file: (row) => exactText(row.unproven) },
  ];
  return h("details", {}, h("summary", {}, plural(rows.length, "cost", "costs") + " of which nothing can be proven"), dataTable({ name: "unproven", caption: "Costs of which no saving can be proven, " + one.label, columns, rows, limit: 12, redraw: drawAll, note: "In no saving above. Several levers may concern the same cost: do not add them." }));
}

const VERDICTS = {
  confirmed: "Confirmed",
  more: "Saved more than claimed",
  less: "Saved less than claimed",
  not_found: "Not found: less than claimed, perhaps nothing",
  dearer: "The same requests cost more",
  undecided: "Undecided",
};

/* Did it work: every change that was registered, whenever it was switched on. */
function verified() {
  const rows = rowsOf("verified_savings");
  if (!rows || !rows.length) return null;
  const usd = (name) => ({ figure: true, cell: (row) => money(units(row[name]), "USD"), file: (row) => row[name] });
  const days = (row) => row.before_day_count + " days before against " + row.after_day_count + " after, " + row.method.replace(/_/g, " ");
  const columns = [
    { head: "Change", cell: (row) => named(row.what, ["since " + dayText(row.switched_on_date, true), row.team_id && accountText("team:" + row.team_id), days(row), row.evidence].filter(Boolean).join(" \u00b7 ")), file: (row) => row.change_id },
    { head: "Claimed a month", ...usd("claimed_saving_usd") },
    { head: "Saved a month", figure: true, main: true, cell: (row) => named(money(units(row.realised_saving_usd), "USD"), row.realised_low_usd === null ? null : money(units(row.realised_low_usd), "USD") + " to " + money(units(row.realised_high_usd), "USD")), file: (row) => row.realised_saving_usd },
    { head: "Verdict", cell: (row) => named(VERDICTS[row.verdict] || row.verdict, row.reason && row.reason.replace(/_/g, " ")), file: (row) => row.verdict },
  ];
  return [h("h3", {}, "Did it work"), dataTable({ name: "verified", caption: "Changes that were to save money, and what they saved", columns, rows, limit: 12, redraw: drawAll, note: "On matched days before and after, at the price book; volume, mix and prices are taken out." })];
}
