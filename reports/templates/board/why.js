/* Why a month cost more or less than the one before: from the one to the other by factor, then by team or model. */
const WHY_BY = [
  ["account", "Team"],
  ["model", "Model"],
];
const OTHERS = "Others";

async function drawWhy(host) {
  const one = month();
  const name = "why-" + one.month;
  if (!core.parts[name]) return show(host, sentence("This snapshot does not say why months cost more or less."));
  const table = await part(name);
  if (!table.rows) return show(host, sentence("There is no month before " + one.label + " to hold it against."));
  const currencies = ranked(sums(everyRow(table), table.currency, table.now), "currency").map(([code]) => words.currency.values[code]);
  const currency = currencies.includes(view.picks.whyCurrency) ? view.picks.whyCurrency : currencies[0];
  const rows = whyRows(table, currency);
  show(
    host,
    currencies.length > 1 && choice("why-currency", "Billed in", currencies.map((each) => [each, each]), currency, (each) => pick("whyCurrency", each)),
    one.state === "open" && sentence(one.label + " is not over and is held against a whole month: its volume is as yet lower."),
    factors(table, rows, currency, one),
    movers(table, rows, currency, one),
  );
}

/* Rows of one currency and of the team that is picked: of other filters the change knows nothing. */
function whyRows(table, currency) {
  const code = words.currency.codes.get(currency);
  const account = view.filters.account === undefined ? null : words.account.codes.get(view.filters.account);
  return everyRow(table).filter((row) => table.currency[row] === code && (account === null || table.account[row] === account));
}

/* From the month before to this one; bars start at zero, because a change is small beside what it changes. */
function factors(table, rows, currency, one) {
  const start = total(table.before, rows);
  const end = total(table.now, rows);
  const steps = ranked(sums(rows, table.factor, table.change), "factor").filter((each) => each[1] !== 0n);
  const rest = steps.reduce((left, each) => left - each[1], end - start);
  const list = steps.map(([code, amount]) => {
    const factor = words.factor.values[code];
    const [text, note] = core.told.factor[factor] || [factor.replace(/_/g, " "), ""];
    return { text, note, factor, amount };
  });
  if (rest !== 0n) list.push({ text: "Not broken down", amount: rest });
  const most = Math.max(...list.map((row) => size(row.amount)), 0);
  const least = Math.min(...list.map((row) => size(row.amount)), 0);
  list.unshift({ text: monthText(dayAfter(one.first, -1)), sum: start, strong: true });
  list.push({ text: monthText(one.first), sum: end, strong: true });
  const columns = [
    { head: "From month to month", cell: (row) => named(row.factor ? factorButton(row) : row.text, row.note), file: (row) => row.text },
    { head: "", wide: true, cell: (row) => (row.strong ? "" : changeBar(row.amount, most, least, one)), file: () => "" },
    { head: currency, figure: true, main: true, cell: (row) => (row.strong ? money(row.sum, currency) : money(row.amount, currency, true)), file: (row) => exactText(row.strong ? row.sum : row.amount) },
  ];
  const others = Object.keys(view.filters).some((name) => name !== "account");
  const note = "Factors change one by one, in a fixed order, so that they add up to the change." + (others ? " Of what is picked above only the team counts here." : "");
  return [
    h("p", { class: "legend" }, [["2", "Dearer"], ["1", "Cheaper"]].map(([paint, text]) => h("span", {}, key(paint), text))),
    dataTable({ name: "factors", caption: "From the month before to " + one.label + ", by factor", columns, rows: list, note }),
  ];
}

function changeBar(amount, most, least, one) {
  return rowBar([{ value: amount, paint: amount > 0n ? "2" : "1", open: isOpen(one) }], most, least);
}

function factorButton(row) {
  const isPicked = view.picks.factor === row.factor;
  return button(row.text, () => pick("factor", isPicked ? null : row.factor), { class: "pick" + (isPicked ? " picked" : ""), "aria-pressed": String(isPicked), "data-focus": "factor-" + row.factor });
}

/* Whose cost moved, or which model's: of the factor that is picked, or of all of them. */
function movers(table, rows, currency, one) {
  const by = view.picks.whyBy === "model" ? "model" : "account";
  const factor = words.factor.codes.get(view.picks.factor);
  const own = factor === undefined ? rows : rows.filter((row) => table.factor[row] === factor);
  const found = ranked(sums(own, table[by], table.change), by).filter((each) => each[1] !== 0n);
  const was = sums(rows, table[by], table.before);
  const now = sums(rows, table[by], table.now);
  const most = Math.max(...found.map((each) => size(each[1])), 0);
  const least = Math.min(...found.map((each) => size(each[1])), 0);
  const list = found.map(([code, amount]) => ({ code, amount, was: was.get(code), now: now.get(code) }));
  const start = total(table.before, rows);
  const end = total(table.now, rows);
  if (by === "account") {
    const others = { code: null, amount: 0n, was: list.reduce((left, row) => left - row.was, start), now: list.reduce((left, row) => left - row.now, end) };
    if (others.was !== 0n || others.now !== 0n) list.push(others);
  }
  const figure = (name, signed) => ({ figure: true, cell: (row) => money(row[name], currency, signed), file: (row) => exactText(row[name]) });
  const title = by === "account" ? "Team" : "Model";
  const columns = [
    { head: title, cell: (row) => (row.code === null ? OTHERS : whyPick(by, row.code)), file: (row) => (row.code === null ? OTHERS : words[by].values[row.code]) },
    { head: "", wide: true, cell: (row) => changeBar(row.amount, most, least, one), file: () => "" },
    { head: "Change", main: true, ...figure("amount", true) },
  ];
  if (by === "account") columns.push({ head: "Month before", ...figure("was") }, { head: one.label, ...figure("now") });
  const foot = ["Total", "", money(total(table.change, own), currency, true)];
  if (by === "account") foot.push(money(start, currency), money(end, currency));
  const [of] = factor === undefined ? ["All factors"] : core.told.factor[view.picks.factor] || [view.picks.factor];
  return [
    choice("why-by", "Change by", WHY_BY, by, (name) => pick("whyBy", name)),
    factor !== undefined && h("div", { class: "chips" }, h("span", { class: "label" }, "Shown only: "), button([of, h("span", { "aria-hidden": "true" }, " \u00d7")], () => pick("factor", null), { class: "chip", "aria-label": "Remove filter " + of, "data-focus": "chip-factor" })),
    dataTable({ name: "moved-" + by, caption: "Change by " + title.toLowerCase() + ", " + one.label, columns, rows: list, limit: 10, redraw: drawAll, foot }),
  ];
}

function whyPick(by, code) {
  const value = words[by].values[code];
  const text = by === "model" && value === "" ? "Of no single model" : label(by, code);
  return button(text, () => addFilter(by, value), { class: "pick", "aria-pressed": String(view.filters[by] === value), "data-focus": "why-" + by + "-" + value });
}
