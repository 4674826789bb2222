/* Budgets and forecast: what was spent of a budget, and between what the month is likely to end. */
const REASONS = {
  no_outcomes: "no outcome came",
  few_outcomes: "too few outcomes to tell",
  few_successes: "too few successes to tell",
  unpriced: "some requests have no known price",
  immature: "too early: nobody can tell yet how many outcomes are to come",
};

function drawOutlook(host) {
  const one = month();
  show(host, budgets(one), forecasts(one));
}

/* Amounts of money or of tokens, as the row's own unit says. */
function inUnit(value, unit) {
  if (value === null) return NONE;
  return unit === "tokens" ? tokens(value) : money(value, unit);
}

function whose(row) {
  const parts = [row.account && accountText(row.account), row.provider_name, row.model_id, row.feature, row.outcome_kind && "outcome " + row.outcome_kind, row.business_unit && "business unit " + row.business_unit].filter(Boolean);
  return parts.length ? parts.join(" \u00b7 ") : "The whole company";
}

function budgets(one) {
  const rows = rowsOf("budget_status", one);
  if (!rows) return sentence("This snapshot holds no budgets.");
  if (!rows.length) return sentence("No budget holds in " + one.label + ".");
  rows.forEach((row) => Object.assign(row, { budget: units(row.budget_amount), spent: units(row.spent_amount), remaining: units(row.remaining_amount), low: units(row.month_end_p10), middle: units(row.month_end_p50), high: units(row.month_end_p90) }));
  rows.sort((a, b) => size(b.spent) / (size(b.budget) || 1) - size(a.spent) / (size(a.budget) || 1) || (a.budget_id < b.budget_id ? -1 : 1));
  const over = rows.filter((row) => row.remaining < 0n).length;
  const amount = (name) => ({ figure: true, cell: (row) => inUnit(row[name], row.unit), file: (row) => exactText(row[name]) });
  const columns = [
    { head: "Budget", cell: (row) => named(row.budget_id, whose(row) + (row.unconverted_currencies ? "; not in it: " + row.unconverted_currencies : "")), file: (row) => row.budget_id },
    { head: "", wide: true, cell: (row) => budgetBar(row), file: () => "" },
    { ...amount("spent"), head: "Spent", cell: (row) => named(inUnit(row.spent, row.unit), unsettledText(row)) },
    { head: "Budget amount", ...amount("budget") },
    { head: "Left", ...amount("remaining") },
    { head: "Likely month's end", figure: true, cell: (row) => (row.middle === null ? NONE : named(inUnit(row.middle, row.unit), monthEndText(row))), file: (row) => exactText(row.middle) },
    { head: "Chance to exceed", figure: true, cell: (row) => (row.breach_chance === null ? NONE : percent(Number(row.breach_chance))), file: (row) => row.breach_chance },
  ];
  return [
    sentence(over ? plural(over, "budget is", "budgets are") + " overspent." : "No budget is overspent."),
    bandLegend(true),
    dataTable({ name: "budgets", caption: "Budgets of " + one.label, columns, rows, limit: 20, redraw: drawAll }),
  ];
}

/* What is spent counts every day that is told, the forecast the settled ones: a month can seem to end below what is spent. */
function unsettledText(row) {
  const since = row.spent - units(row.settled_amount);
  return row.is_current && row.settled_date !== null && since !== 0n ? inUnit(since, row.unit) + " on days that may still change" : null;
}

function monthEndText(row) {
  const between = row.low === null ? null : inUnit(row.low, row.unit) + " to " + inUnit(row.high, row.unit);
  return [between, row.middle < row.spent ? "less than is spent: days that may still change are estimated" : null].filter(Boolean).join("; ") || null;
}

function bandLegend(withBudget) {
  const parts = [["1", withBudget ? "Spent" : "Settled"], ["band", "Likely month's end, 8 of 10 times"], ["2", "Middle of it"]];
  if (withBudget) parts.push(["ink", "Budget"]);
  return h("p", { class: "legend" }, parts.map(([paint, text]) => h("span", {}, key(paint), text)));
}

/* Each bar is as long as the larger of the budget and what the month is likely to come to. */
function budgetBar(row) {
  const most = Math.max(...[row.budget, row.spent, row.middle, row.high].map((value) => (value === null ? 0 : size(value)))) || 1;
  return bandBar(row.spent, row.low, row.middle, row.high, most, row.budget);
}

function bandBar(spent, low, middle, high, most, limit) {
  const at = (value) => (Math.max(0, size(value)) / most) * 100 + "%";
  const mark = (value, name) => value !== null && s("rect", { class: name, x: at(value), y: 0, width: 2, height: 14 });
  const band = low !== null && high !== null && s("rect", { class: "paint-band", x: at(low), y: 3, width: (Math.max(0, size(high - low)) / most) * 100 + "%", height: 8 });
  return s("svg", { class: "bar band", "aria-hidden": "true" }, s("rect", { class: "paint-1", x: 0, y: 3, width: at(spent), height: 8 }), band, mark(middle, "paint-2"), mark(limit, "paint-ink"));
}

const LEVELS = { organisation: 0, provider: 1, account: 2, budget: 3 };

function forecasts(one) {
  const rows = rowsOf("forecasts", one);
  if (!rows) return sentence("This snapshot holds no forecasts.");
  if (!rows.length) return sentence(one.label + " is over, or nothing is forecast of it.");
  rows.forEach((row) => Object.assign(row, { settled: units(row.settled_amount), low: units(row.month_end_p10), middle: units(row.month_end_p50), high: units(row.month_end_p90) }));
  const largest = (row) => (row.middle === null ? row.settled : row.middle);
  rows.sort((a, b) => LEVELS[a.level] - LEVELS[b.level] || (largest(a) === largest(b) ? 0 : largest(a) < largest(b) ? 1 : -1));
  const most = Math.max(...rows.filter((row) => row.metric === "cost").map((row) => size(row.high === null ? largest(row) : row.high)), 0) || 1;
  const columns = [
    { head: "What is forecast", cell: (row) => named(whose(row) + (row.metric === "tokens" ? ", tokens" : ""), row.no_interval_reason), file: whose },
    { head: "", wide: true, cell: (row) => bandBar(row.settled, row.low, row.middle, row.high, row.metric === "cost" ? most : size(row.high === null ? largest(row) : row.high) || 1, null), file: () => "" },
    { head: "Settled", figure: true, cell: (row) => inUnit(row.settled, row.unit), file: (row) => exactText(row.settled) },
    { head: "Month's end", figure: true, cell: (row) => inUnit(row.middle, row.unit), file: (row) => exactText(row.middle) },
    { head: "8 of 10 times between", figure: true, cell: (row) => (row.low === null ? NONE : inUnit(row.low, row.unit) + " and " + inUnit(row.high, row.unit)), file: (row) => (row.low === null ? "" : exactText(row.low) + " and " + exactText(row.high)) },
    { head: "Held in the past", figure: true, cell: (row) => percent(row.coverage_ratio) },
  ];
  return [
    h("h3", {}, "Forecast of the month's end"),
    bandLegend(false),
    dataTable({ name: "forecasts", caption: "Forecast of " + one.label, columns, rows, limit: 8, redraw: drawAll, note: "Settled up to " + dayText(rows[0].settled_date) + "; days since then are estimated, whatever they show so far. Held in the past: how often such an interval had the truth in it; eight in ten is claimed." }),
  ];
}

/* What the money bought: cost of an outcome, with its interval, or why it is not told. */
const OUTCOME_LEVELS = [
  ["kind", "Kind"],
  ["team", "Team"],
  ["feature", "Feature"],
  ["route", "Route"],
  ["model", "Model"],
];

async function drawOutcomes(host) {
  const one = month();
  show(host, outcomes(one), requestCosts(await monthRows("request_costs", one), one));
}

function outcomes(one) {
  const all = rowsOf("unit_costs");
  if (!all) return sentence("This snapshot holds no outcomes.");
  const mine = all.filter((row) => row.period_kind === "month" && row.period_start === one.first);
  if (!mine.length) return sentence("No outcome was declared or came in " + one.label + ".");
  const level = pickedOf("outcomes", OUTCOME_LEVELS);
  const rows = mine.filter((row) => row.level === level).sort((a, b) => (a.outcome_kind === b.outcome_kind ? size(units(b.priced_cost_usd)) - size(units(a.priced_cost_usd)) : a.outcome_kind < b.outcome_kind ? -1 : 1));
  const about = (row) => ({ kind: row.outcome_kind, team: row.team_id ? accountText("team:" + row.team_id) : "No owner", feature: row.feature || NOTHING.feature, route: row.route.replace("_", " "), model: row.model_id || NOTHING.model })[level];
  const usd = (name) => ({ figure: true, cell: (row) => money(units(row[name]), "USD"), file: (row) => row[name] });
  const columns = [
    { head: OUTCOME_LEVELS.find(([name]) => name === level)[1], cell: (row) => named(about(row), [level === "kind" ? null : row.outcome_kind, row.is_nowcast ? "early: over the number expected in the end" : null].filter(Boolean).join("; ")), file: about },
    { head: "Cost", ...usd("priced_cost_usd") },
    { head: "Outcomes", figure: true, cell: (row) => outcomeCount(row.outcome_count), file: (row) => row.outcome_count },
    { head: "Successes", figure: true, cell: (row) => percent(row.success_ratio) },
    { head: "Cost of a success", figure: true, cell: (row) => successCost(row), file: (row) => row.cost_per_success_usd },
  ];
  return [
    choice("outcomes", "By", OUTCOME_LEVELS, level, (name) => pick("outcomes", name)),
    dataTable({ name: "outcomes", caption: "Cost of outcomes, " + one.label, columns, rows, limit: 12, redraw: drawAll, note: "All requests made for it count, failed ones included, at the price book and on own GPUs. Rows of different levels are never added." }),
  ];
}

function outcomeCount(text) {
  return text === null ? NONE : placed(units(text), PLACES).replace(/\.?0+$/, "");
}

function successCost(row) {
  const low = units(row.cost_per_success_low_usd);
  if (row.cost_per_success_usd === null) return named(NONE, REASONS[row.reason] || row.reason);
  return named(money(units(row.cost_per_success_usd), "USD"), low === null ? null : money(low, "USD") + " to " + money(units(row.cost_per_success_high_usd), "USD"));
}
