/* What came later: bills restated, locked months corrected, known errors; and what has arrived at all. */
function drawChanges(host) {
  const one = month();
  show(host, restated(one), adjustments(one), errata(one));
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

/* Known errors on bills: each once, with whom it changes. */
function errata(one) {
  const all = rowsOf("bill_errata");
  if (!all) return sentence("This snapshot does not tell known errors on bills.");
  const found = new Map();
  for (const row of all.filter((row) => (row.posted_in || row.billing_period) === one.first)) {
    if (!found.has(row.erratum_id)) found.set(row.erratum_id, { ...row, changes: [] });
    if (row.account !== null) found.get(row.erratum_id).changes.push([row.account, units(row.effective_change)]);
  }
  if (!found.size) return sentence("No known error on a bill touches " + one.label + ".");
  const rows = Array.from(found.values());
  rows.forEach((row) => row.changes.sort((a, b) => (a[0].startsWith("team:") === b[0].startsWith("team:") ? (a[0] < b[0] ? -1 : 1) : a[0].startsWith("team:") ? -1 : 1)));
  const amount = (name) => ({ figure: true, cell: (row) => money(units(row[name]), row.billing_currency), file: (row) => row[name] });
  const columns = [
    { head: "What is wrong", cell: (row) => named(row.reason, erratumNote(row)), file: (row) => row.erratum_id + ": " + row.reason },
    { head: "Bill", tight: true, cell: (row) => named(row.provider_name, monthText(row.billing_period)), file: (row) => row.provider_name },
    { head: "On the bill", figure: true, cell: (row) => (row.line_count ? money(units(row.found_cost), row.billing_currency) : NONE), file: (row) => (row.line_count ? row.found_cost : "") },
    { head: "Should be", ...amount("correct_cost") },
    { head: "Changes", figure: true, cell: (row) => (row.changes.length ? row.changes.map(([account, change]) => h("span", { class: "under-name" }, accountText(account) + " " + money(change, row.billing_currency, true))) : NONE), file: (row) => row.changes.map(([account, change]) => account + " " + exactText(change)).join("; ") },
  ];
  const corrects = words.rule.codes.has("correction") && rows.some((row) => row.changes.length);
  return [
    h("h3", {}, "Known errors on bills"),
    sentence("The bill stays as the provider sent it. What is known to be wrong is taken off whoever was charged with it, and waits apart until it is credited."),
    dataTable({ name: "errata", caption: "Known errors on bills that touch " + one.label, columns, rows, limit: 20, redraw: drawAll }),
    corrects && h("p", { class: "under" }, button("Show the lines that correct them", () => showFiltered({ rule: "correction" }), { class: "quiet", "data-focus": "errata-lines" })),
  ];
}

function erratumNote(row) {
  const standing = core.told.standing[row.standing] || (row.changes.length ? null : "Not corrected yet: its month is further back than a night rebuilds");
  return [row.evidence, "Reviewed by " + row.reviewed_by + ", holds until " + dayText(row.expires_on, true), standing].filter(Boolean).join(". ");
}

function accountText(account) {
  const code = words.account.codes.get(account);
  if (code !== undefined) return label("account", code);
  const [kind, name] = account.split(/:(.*)/);
  return (kind === "residual" && core.told.residual[name]) || name || account;
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
