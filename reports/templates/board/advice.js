/* What to commit to next: machines on demand that would have cost less with a commitment, and why others would not. */
const NOT_ADVISED = {
  no_price: "no list has a price for a commitment",
  short_history: "fewer than 30 days are known",
  coarse_bill: "the bill tells days, not how many ran at once",
  falling_use: "its use falls",
  no_saving: "no level would have saved anything",
};
const WAYS = {
  reserved: "reserved",
  savings_plan: "savings plan",
  committed_use: "committed use",
};

function advice(rows, one) {
  if (!rows) return sentence("This snapshot holds no advice on what to commit to.");
  if (!rows.length) return null;
  rows.forEach((row) => Object.assign(row, { saves: units(row.monthly_saving), upfront: units(row.upfront_cost) }));
  const advised = rows.filter((row) => row.advised_machines !== null).sort(bySaving);
  const others = notAdvised(rows, advised);
  return [
    h("h3", {}, "What to commit to next"),
    sentence(advised.length ? plural(new Set(advised.map(machineKey)).size, "machine type", "machine types") + " on demand would have cost less with a commitment. Rows of the same machine are alternatives: take one." : "Nothing is advised: no machine on demand would safely have cost less with a commitment."),
    advised.length > 0 && adviceTable(advised, one),
    others.length > 0 && h("details", {}, h("summary", {}, plural(others.length, "machine type", "machine types") + " without advice"), refusedTable(others, one)),
  ];
}

function bySaving(a, b) {
  if (a.billing_currency !== b.billing_currency) return a.billing_currency < b.billing_currency ? -1 : 1;
  return a.saves === b.saves ? 0 : a.saves < b.saves ? 1 : -1;
}

function machineKey(row) {
  return [row.provider_name, row.billing_account_id, row.region_id, row.instance_type, row.sku_id, row.billing_currency].join("\n");
}

function machineNote(row) {
  return [row.provider_name, row.billing_account_id, row.region_id].filter(Boolean).join(" \u00b7 ");
}

function wayText(row) {
  const term = row.term_months % 12 ? plural(row.term_months, "month", "months") : plural(row.term_months / 12, "year", "years");
  return [WAYS[row.purchase_option] || row.purchase_option, term, row.payment_option.replace(/_/g, " ")].filter(Boolean).join(", ");
}

function adviceTable(rows, one) {
  const price = (row) => fine(units(row.committed_price), row.billing_currency) + " an hour instead of " + fine(units(row.on_demand_price), row.billing_currency);
  const columns = [
    { head: "Machine on demand", cell: (row) => named(row.instance_type, machineNote(row)), file: (row) => row.instance_type },
    { head: "Commitment", cell: (row) => named(wayText(row), price(row)), file: wayText },
    { head: "Run now", figure: true, cell: (row) => named(machines(row.mean_machines), "at most " + machines(row.peak_machines)), file: (row) => row.mean_machines },
    { head: "Commit to", figure: true, cell: (row) => named(machines(row.advised_machines), "first " + machines(row.first_step_machines)), file: (row) => row.advised_machines },
    { head: "Saves a month", figure: true, cell: (row) => money(row.saves, row.billing_currency), file: (row) => row.monthly_saving },
    { head: "Upfront", figure: true, cell: (row) => named(money(row.upfront, row.billing_currency), row.payback_months === null ? null : "back in " + machines(row.payback_months) + " months"), file: (row) => row.upfront_cost },
    { head: "At 30\u202f% less use", figure: true, cell: (row) => money(units(row.regret_at_70_percent), row.billing_currency), file: (row) => row.regret_at_70_percent },
  ];
  const days = rows.reduce((all, row) => [all[0] < row.first_day ? all[0] : row.first_day, all[1] > row.last_day ? all[1] : row.last_day], [rows[0].first_day, rows[0].last_day]);
  return dataTable({ name: "advice", caption: "What to commit to, after " + one.label, columns, rows, limit: 8, redraw: drawAll, note: "From the hours of " + dayText(days[0], true) + " to " + dayText(days[1], true) + ", after what is committed already. At 30\u202f% less use: what it would cost a month more than the level that is best then." });
}

function machines(number) {
  return Number.isInteger(number) ? count(number) : (Math.round(number * 10) / 10).toFixed(1);
}

/* Each machine type for which no way of committing is advised, once, with every reason. */
function notAdvised(rows, advised) {
  const known = new Set(advised.map(machineKey));
  const found = new Map();
  for (const row of rows.filter((row) => !known.has(machineKey(row)))) {
    if (!found.has(machineKey(row))) found.set(machineKey(row), { ...row, reasons: new Set() });
    found.get(machineKey(row)).reasons.add(NOT_ADVISED[row.reason] || row.reason);
  }
  return Array.from(found.values()).sort((a, b) => b.mean_machines - a.mean_machines || (a.instance_type < b.instance_type ? -1 : 1));
}

function refusedTable(rows, one) {
  const columns = [
    { head: "Machine on demand", cell: (row) => named(row.instance_type, machineNote(row)), file: (row) => row.instance_type },
    { head: "Why not", cell: (row) => Array.from(row.reasons).sort().join("; ") },
    { head: "Run now", figure: true, cell: (row) => machines(row.mean_machines), file: (row) => row.mean_machines },
  ];
  return dataTable({ name: "not-advised", caption: "Machines on demand without advice, " + one.label, columns, rows, limit: 12, redraw: drawAll });
}
