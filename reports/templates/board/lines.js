/* The lines behind what is shown: rows of the mart `chargeback`, as they stand there. */
const LINES = 10;

async function drawLines(host) {
  const one = month();
  const table = await part("lines-" + one.month);
  const rows = Array.from(chosen(table)).sort((a, b) => {
    const left = magnitude(table.cost[a]);
    const right = magnitude(table.cost[b]);
    return left === right ? a - b : left > right ? -1 : 1;
  });
  const sum = total(table.cost, rows);
  const unknown = rows.filter((row) => !table.known[row]);
  const told = (name) => (row) => label(name, table[name][row]);
  const stored = (name) => (row) => words[name].values[table[name][row]];
  const columns = [
    { head: "Team", cell: told("account"), file: stored("account") },
    { head: "Day", tight: true, cell: (row) => dayText(stored("day")(row)), file: stored("day") },
    { head: "Provider and service", cell: (row) => named(told("provider")(row), told("service")(row)), file: stored("provider") },
    { head: "Model and feature", cell: (row) => (stored("model")(row) || stored("feature")(row) ? named(stored("model")(row) && told("model")(row), stored("feature")(row) && told("feature")(row)) : NONE), file: stored("model") },
    { head: "How charged", cell: (row) => named(told("rule")(row), correctionText(table, row)), file: stored("rule") },
    { head: "Bill", tight: true, cell: (row) => (isUnsettled(table, row) ? [key("hatch", true), stored("settled")(row)] : stored("settled")(row)), file: stored("settled") },
    { head: "Cost", figure: true, main: true, cell: (row) => costText(table, row), file: (row) => (table.known[row] ? exactText(table.cost[row]) : "") },
  ];
  const hidden = ["service", "feature", "product", "ledger", "kind", "unit", "corrects", "cause", "currency"].map((name) => ({ head: name, cell: () => "", file: stored(name) }));
  hidden.push({ head: "cost in the bill's currency", file: (row) => exactText(words.currency.values[table.currency[row]] === core.currency ? table.cost[row] : table.own[row]) });
  hidden.push({ head: "billed cost", file: (row) => (table.known[row] ? exactText(table.cost[row] + table.billed[row]) : "") });
  show(
    host,
    h("p", { class: "lead", id: "lines-sum" }, plural(rows.length, "line", "lines") + " of the " + count(table.rows) + " of " + one.label + " come to ", h("strong", {}, money(sum, core.currency)), "."),
    unknown.length > 0 && h("p", { class: "note" }, plural(unknown.length, "line has", "lines have") + " no exchange rate: named in their own currency, and in no sum."),
    linesTable(rows, columns, hidden, sum),
  );
}

function linesTable(rows, columns, hidden, sum) {
  const table = dataTable({
    name: "lines",
    caption: "Lines of the mart chargeback, largest first",
    columns,
    rows,
    limit: LINES,
    redraw: () => drawLines(document.getElementById("lines-body")),
    foot: ["Total", "", "", "", "", "", money(sum, core.currency)],
  });
  const all = [...columns, ...hidden];
  const file = table.querySelector("[data-focus=csv-lines]");
  if (file) {
    const again = button("Download CSV", () => download("lines", all.map((c) => c.head), rows.map((row) => all.map((c) => c.file(row)))), { "data-focus": "csv-lines", class: "quiet", "aria-label": "Download these lines as CSV" });
    file.replaceWith(again);
  }
  return table;
}

function costText(table, row) {
  const currency = words.currency.values[table.currency[row]];
  if (!table.known[row]) return named(money(table.own[row], currency), "no exchange rate");
  const own = currency === core.currency ? null : money(table.own[row], currency);
  return named(money(table.cost[row], core.currency), own);
}

function correctionText(table, row) {
  const corrects = words.corrects.values[table.corrects[row]];
  return corrects ? "corrects " + monthText(corrects) + ": " + words.cause.values[table.cause[row]].replace(/_/g, " ") : null;
}
