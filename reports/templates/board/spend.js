/* Spend: a month's days stacked by one dimension, and the same sums as a table that filters. */
const COLOURS = 6;

async function drawSpend(host) {
  const one = month();
  const before = monthBefore();
  const table = await part("lines-" + one.month);
  const past = before && (await part("lines-" + before.month));
  const series = spendSeries(table);
  show(
    host,
    choice("by", "Stack by", DIMENSIONS, view.by, (by) => go({ by, more: {} })),
    filterLine(),
    dayChart(table, series, one, host),
    chartNote(table, one),
    rankTable(table, past, series, one, before),
  );
  if (Object.keys(view.filters).length) monthsFiltered().then((found) => drawStrip(document.getElementById("strip"), found));
}

/* The largest of the month have colours of their own; picking one of them must not change the others' colours. */
function spendSeries(table) {
  const rows = chosen(table, [view.by, "day"]);
  const largest = ranked(sums(rows, table[view.by], table.cost), view.by);
  const series = largest.slice(0, COLOURS).map(([code], i) => ({ code, key: words[view.by].values[code], text: label(view.by, code), paint: String(i + 1) }));
  const rest = largest.length - series.length;
  const of = new Map(series.map((each, i) => [each.code, i]));
  if (rest > 0) series.push({ key: null, text: plural(rest, "other", "others"), paint: "rest" });
  return { list: series, of, rest: rest > 0 ? series.length - 1 : -1 };
}

function filterLine() {
  const set = DIMENSIONS.filter(([name]) => name in view.filters);
  const chip = (text, pick, name) => button([text, h("span", { "aria-hidden": "true" }, " \u00d7")], pick, { class: "chip", "aria-label": "Remove filter " + text, "data-focus": "chip-" + name });
  const chips = set.map(([name, text]) => chip(text + ": " + label(name, words[name].codes.get(view.filters[name])), () => addFilter(name, view.filters[name]), name));
  if (view.day) chips.push(chip(dayText(view.day, true), () => go({ day: null, more: {} }), "day"));
  return h(
    "div",
    { class: "chips", id: "filters" },
    chips.length ? [h("span", { class: "label" }, "Shown only: "), chips, button("Show all", () => go({ filters: {}, day: null, more: {} }), { class: "quiet", "data-focus": "clear" })] : h("span", { class: "note" }, "Pick a bar or a row to see only that, down to its lines."),
  );
}

function dayChart(table, series, one, host) {
  const rows = chosen(table, ["day"]);
  const byDay = new Map();
  for (const row of rows) {
    const day = words.day.values[table.day[row]];
    const at = series.of.has(table[view.by][row]) ? series.of.get(table[view.by][row]) : series.rest;
    if (!byDay.has(day)) byDay.set(day, new Map());
    const parts = byDay.get(day);
    if (!parts.has(at)) parts.set(at, { series: at, value: 0n, open: false });
    const found = parts.get(at);
    found.value += table.cost[row];
    if (isUnsettled(table, row)) found.open = true;
  }
  const columns = Array.from({ length: one.days }, (_, i) => {
    const day = dayAfter(one.first, i);
    const parts = Array.from((byDay.get(day) || new Map()).values()).sort((a, b) => a.series - b.series);
    return { key: day, text: dayText(day, true), tick: i === 0 || (i + 1) % 5 === 0 ? String(i + 1) : null, missing: one.missing.includes(day), parts };
  });
  return columnChart({
    name: "days",
    caption: "Effective cost by day of " + one.label + ", stacked by " + dimensionText(view.by).toLowerCase() + ". Arrow keys go through the days, Enter filters.",
    columns,
    series: series.list,
    currency: core.currency,
    height: 260,
    width: Math.max(280, host.clientWidth),
    picked: { column: view.day, series: view.filters[view.by] || null },
    pick: (day, value) => pickDay(day, value),
  });
}

function isUnsettled(table, row) {
  const settled = words.settled.values[table.settled[row]];
  return settled === "open" || settled === "provisional";
}

/* A day, or one part of it; picked again it is let go. */
function pickDay(day, value) {
  const filters = { ...view.filters };
  const isSame = day === view.day && (value === null || filters[view.by] === value);
  if (day === null || isSame) {
    if (value !== null) delete filters[view.by];
    return go({ day: null, filters, more: {} });
  }
  if (value !== null) filters[view.by] = value;
  return go({ day, filters, more: {} });
}

function chartNote(table, one) {
  const rows = chosen(table, ["day"]);
  const outside = rows.filter((row) => words.day.values[table.day[row]].slice(0, 7) !== one.month);
  const notes = [];
  if (rows.some((row) => isUnsettled(table, row))) notes.push(h("span", {}, key("hatch", true), " Hatched: provisional, the bill can still change. "));
  if (one.missing.length) notes.push(h("span", {}, key("gap"), " Grey day: a source has not delivered it. "));
  if (outside.length) notes.push(h("span", {}, money(total(table.cost, outside), core.currency) + " of the month is dated outside of it and has no column here. "));
  notes.push(h("span", {}, "Days are UTC days. " + core.currency + "."));
  return h("p", { class: "note" }, notes);
}

function rankTable(table, past, series, one, before) {
  const by = view.by;
  const rows = chosen(table, [by]);
  const found = ranked(sums(rows, table[by], table.cost), by);
  const was = past && !view.day ? sums(chosen(past, [by]), past[by], past.cost) : null;
  const all = found.reduce((sum, each) => sum + each[1], 0n);
  const most = Math.max(...found.map((each) => size(each[1])), 0);
  const least = Math.min(...found.map((each) => size(each[1])), 0);
  const open = new Set(rows.filter((row) => isUnsettled(table, row)).map((row) => table[by][row]));
  const without = apart(table, rows, table[by]);
  const known = inSums(table, rows, table[by]);
  const list = found.map(([code, amount]) => ({
    code,
    amount,
    known: known.has(code),
    apart: without.get(code),
    paint: series.of.has(code) ? series.list[series.of.get(code)].paint : "rest",
    open: open.has(code),
    was: was ? was.get(code) || 0n : null,
  }));
  const columns = [
    { head: dimensionText(by), cell: (row) => named(pickButton(by, row), row.apart && "and " + apartText(row.apart) + " without an exchange rate, in no sum"), file: (row) => words[by].values[row.code] },
    { head: "", wide: true, cell: (row) => rowBar([{ value: row.amount, paint: row.paint, open: row.open }], most, least), file: () => "" },
    { head: "Cost", figure: true, main: true, cell: (row) => (row.known ? money(row.amount, core.currency) : NONE), file: (row) => (row.known ? exactText(row.amount) : "") },
    { head: "Share", figure: true, cell: (row) => (row.known ? share(row.amount, all) : NONE) },
  ];
  if (was) columns.push({ head: "Against " + before.label, figure: true, cell: (row) => money(row.amount - row.was, core.currency, true), file: (row) => exactText(row.amount - row.was) });
  const gone = was ? Array.from(was.entries()).filter(([code]) => !found.some((each) => each[0] === code)) : [];
  const fell = gone.reduce((sum, each) => sum + each[1], 0n);
  return dataTable({
    name: "by-" + by,
    caption: "Cost by " + dimensionText(by).toLowerCase() + ", " + one.label + (view.day ? ", " + dayText(view.day) : ""),
    columns,
    rows: list,
    limit: 12,
    redraw: drawAll,
    foot: ["Total", "", money(all, core.currency), all > 0n ? percent(1) : NONE, ...(was ? [money(all - Array.from(was.values()).reduce((sum, x) => sum + x, 0n), core.currency, true)] : [])],
    note: fell !== 0n ? "The total's change counts " + money(fell, core.currency) + " of " + before.label + " that nothing in this month goes by the name of." : null,
  });
}

function pickButton(by, row) {
  const value = words[by].values[row.code];
  const isPicked = view.filters[by] === value;
  return button([key(row.paint, row.open), label(by, row.code)], () => addFilter(by, value), {
    class: "pick" + (isPicked ? " picked" : ""),
    "aria-pressed": String(isPicked),
    "data-focus": "pick-" + by + "-" + value,
  });
}
