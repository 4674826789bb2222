/* What came later: bills restated, locked months corrected; and what has arrived at all. */
function drawChanges(host) {
  const one = month();
  show(host, restated(one), adjustments(one));
}

function restated(one) {
  if (!one.restated.length) return sentence("No bill of " + one.label + " changed after its month, and none was restated in it.");
  const rows = one.restated.map(([source, first, last, times, billed, effective, currency]) => ({ source, first, last, times, billed: units(billed), effective: units(effective), currency }));
  const amount = (row, value) => (row.currency ? money(value, row.currency, true) : exactText(value) + ", several currencies");
  const columns = [
    { head: "Bill restated", cell: (row) => named(row.source + ", " + monthText(row.first), (row.times === 1 ? "on " : row.times + " times, last on ") + dayText(row.last, true)), file: (row) => row.source },
    { head: "Invoice", figure: true, cell: (row) => amount(row, row.billed), file: (row) => exactText(row.billed) },
    { head: "Effective", figure: true, main: true, cell: (row) => amount(row, row.effective), file: (row) => exactText(row.effective) },
  ];
  return dataTable({ name: "restated", caption: "Bills restated, " + one.label, columns, rows, limit: 20, redraw: drawAll });
}

function adjustments(one) {
  const rows = rowsOf("period_adjustments", one);
  if (!rows) return sentence("This snapshot does not tell adjustments of locked months.");
  if (!rows.length) return sentence("Nothing in " + one.label + " corrects a locked month.");
  const effective = (row) => units(row.reporting_effective_cost);
  const columns = [
    { head: "Corrects", cell: (row) => monthText(row.corrected_period), file: (row) => row.corrected_period },
    { head: "For", cell: (row) => accountText(row.account), file: (row) => row.account },
    { head: "Why", cell: (row) => named(row.because, row.provider_name), file: (row) => row.because },
    { head: "Effective", figure: true, cell: (row) => (effective(row) === null ? named(money(units(row.effective_cost), row.billing_currency, true), "no exchange rate") : money(effective(row), core.currency, true)), file: (row) => row.reporting_effective_cost },
  ];
  const sum = rows.reduce((all, row) => all + (effective(row) || 0n), 0n);
  return [h("h3", {}, "Adjustments of locked months"), dataTable({ name: "adjustments", caption: "Adjustments of locked months posted in " + one.label, columns, rows, limit: 20, redraw: drawAll, foot: ["Total", "", "", money(sum, core.currency, true)] })];
}

function accountText(account) {
  const code = words.account.codes.get(account);
  return code === undefined ? account : label("account", code);
}

/* What has arrived, in the statements' own words. */
function drawArrived(host) {
  const one = month();
  show(host, printed(one.arrived, "arrived"), printed(one.lacking, "lacking"), glossary());
}

function printed(table, name) {
  if (!table) return null;
  const last = table.headings.length;
  const columns = table.headings.map((head, i) => ({ head, cell: (row) => (i ? row[i] : named(row[0], row[last])), file: (row) => (i ? row[i] : row[0]) }));
  columns.push({ head: "Note", cell: () => "", file: (row) => row[last] });
  const shown = columns.slice(0, -1);
  return [table.lead && sentence(table.lead), dataTable({ name, caption: table.title, columns: shown, rows: table.rows, limit: 20, redraw: drawAll })];
}

function glossary() {
  return h("details", {}, h("summary", {}, "What the words mean"), h("dl", { class: "terms" }, core.definitions.map(([term, meaning]) => [h("dt", {}, term), h("dd", {}, meaning)])));
}
