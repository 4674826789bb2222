/* Commitments: what was bought ahead, how much of it was used, when it ends, and what it covers. */
async function drawCommitments(host) {
  const one = month();
  const rows = rowsOf("commitments", one);
  const table = await part("gpu-" + one.month);
  const next = [advice(await monthRows("commitment_advice", one), one), throughput(await monthRows("provisioned_advice", one), one)];
  if (!rows) return show(host, sentence("This snapshot holds no commitments."), next);
  if (!rows.length) return show(host, sentence("No commitment ran in " + one.label + ", as far as bills and price lists say."), coverage(one), next, covered(table));
  const promised = rows.filter((row) => row.payment_option !== "hourly").map(told(one));
  const hourly = rows.filter((row) => row.payment_option === "hourly");
  promised.sort((a, b) => ((a.ends || "9") === (b.ends || "9") ? (a.name < b.name ? -1 : 1) : (a.ends || "9") < (b.ends || "9") ? -1 : 1));
  show(host, promised.length > 0 && [commitmentLead(promised), commitmentTable(promised, one)], hourly.length > 0 && deployments(hourly), coverage(one), next, covered(table));
}

function told(one) {
  const last = dayAfter(one.first, one.days);
  return (row) => ({
    ...row,
    name: row.commitment_discount_name || row.commitment_discount_id,
    ends: row.term_end ? row.term_end.slice(0, 10) : null,
    left: row.term_end ? daysBetween(last, row.term_end) : null,
    purchased: units(row.purchased_cost),
    used: units(row.used_cost),
    unused: units(row.unused_cost),
    unexplained: units(row.unexplained_cost),
  });
}

/* One sentence a currency: commitments in different currencies are never added. */
function commitmentLead(rows) {
  const currencies = Array.from(new Set(rows.map((row) => row.billing_currency))).filter(Boolean).sort();
  return currencies.map((currency) => {
    const own = rows.filter((row) => row.billing_currency === currency && row.purchased !== null);
    const purchased = own.reduce((sum, row) => sum + row.purchased, 0n);
    const unused = own.reduce((sum, row) => sum + (row.unused || 0n), 0n);
    if (purchased === 0n) return null;
    const soon = rows.filter((row) => row.left !== null && row.left >= 0 && row.left <= 90).length;
    const ending = soon ? " " + plural(soon, "term ends", "terms end") + " within 90 days of the month's end." : "";
    return sentence(money(unused, currency) + " of " + money(purchased, currency) + " (" + share(unused, purchased) + ") that was committed went unused." + ending);
  });
}

function commitmentTable(rows, one) {
  const most = Math.max(...rows.map((row) => (row.purchased === null ? 0 : size(row.purchased))), 0);
  const amount = (name) => ({ figure: true, cell: (row) => money(row[name], row.billing_currency), file: (row) => exactText(row[name]) });
  const parts = (row) => [
    { value: row.used || 0n, paint: "3" },
    { value: row.unused || 0n, paint: "2" },
    { value: row.unexplained || 0n, paint: "rest" },
  ];
  const columns = [
    { head: "Commitment", cell: (row) => named(row.name, [row.provider_name, row.commitment_discount_type, row.instance_type, row.region_id].filter(Boolean).join(" \u00b7 ")), file: (row) => row.name },
    { head: "", wide: true, cell: (row) => rowBar(parts(row), most, 0), file: () => "" },
    { head: "Bought", ...amount("purchased") },
    { head: "Unused", ...amount("unused") },
    { head: "Used", figure: true, cell: (row) => percent(row.utilisation_ratio) },
    { head: "Ends", figure: true, cell: (row) => named(row.ends ? dayText(row.ends, true) : "not told", endText(row)), file: (row) => row.ends },
  ];
  return [
    h("p", { class: "legend" }, [["3", "Used"], ["2", "Unused"], ["rest", "Neither, by the bill's own lines"]].map(([paint, text]) => h("span", {}, key(paint), text))),
    dataTable({ name: "commitments", caption: "Commitments of " + one.label + ", by when they end", columns, rows, limit: 20, redraw: drawAll }),
  ];
}

function endText(row) {
  if (row.left === null) return null;
  if (row.left < 0) return "ended in the month";
  return row.left === 0 ? "with the month" : plural(row.left, "day", "days") + " after the month";
}

function deployments(rows) {
  const columns = [
    { head: "Deployment", cell: (row) => named(row.commitment_discount_name || row.commitment_discount_id, [row.provider_name, row.instance_type, row.region_id].filter(Boolean).join(" \u00b7 ")), file: (row) => row.commitment_discount_id },
    { head: "Units", figure: true, cell: (row) => (row.quantity === null ? NONE : placed(units(row.quantity), PLACES).replace(/\.?0+$/, "") + " " + (row.quantity_unit || "")) },
    { head: "Used", figure: true, cell: (row) => percent(row.utilisation_ratio) },
    { head: "Cost", figure: true, cell: (row) => money(units(row.deployment_cost), row.billing_currency), file: (row) => row.deployment_cost },
  ];
  return [h("h3", {}, "Provisioned throughput, paid by the hour"), dataTable({ name: "deployments", caption: "Deployments of provisioned throughput", columns, rows, limit: 20, redraw: drawAll, note: "Covered by a reservation or not: never to be added to what commitments used. A dash: nobody measured it." })];
}

/* Coverage: how much of what commitments could cover they do cover, at the bill's list prices. */
function coverage(one) {
  const rows = rowsOf("commitment_coverage", one);
  if (!rows) return sentence("This snapshot does not say how much of the machines commitments cover.");
  if (!rows.length) return null;
  const columns = [
    { head: "Coverage of machines", cell: (row) => named(row.provider_name, [row.billing_account_id, row.next_term_end && "next term ends " + dayText(row.next_term_end, true)].filter(Boolean).join(" \u00b7 ")), file: (row) => row.provider_name },
    { head: "", wide: true, cell: (row) => coverageBar(row), file: () => "" },
    { head: "Covered", figure: true, cell: (row) => percent(row.coverage_ratio) },
    { head: "Used of it", figure: true, cell: (row) => percent(row.utilisation_ratio) },
    { head: "Saved in all", figure: true, cell: (row) => percent(row.effective_savings_rate) },
    { head: "On demand", figure: true, cell: (row) => money(units(row.uncovered_cost), row.billing_currency), file: (row) => row.uncovered_cost },
  ];
  return [
    h("h3", {}, "Coverage"),
    h("p", { class: "legend" }, [["3", "Covered by commitments"], ["rest", "On demand, could have been"]].map(([paint, text]) => h("span", {}, key(paint), text))),
    dataTable({ name: "covered", caption: "Coverage by commitments, " + one.label, columns, rows, limit: 20, redraw: drawAll, note: "At the bill's list prices; a dash: some line has none. Saved in all: of that list cost, what buying ahead and on demand together saved; below zero where unused commitments cost more." }),
  ];
}

/* Each row on its own scale: accounts and currencies are not compared by length. */
function coverageBar(row) {
  const covered = units(row.covered_list_cost);
  const open = units(row.uncovered_list_cost);
  if (covered === null || open === null || covered + open <= 0n) return "";
  return rowBar([{ value: covered, paint: "3" }, { value: open, paint: "rest" }], size(covered + open), 0);
}

/* How GPU capacity was bought. */
function covered(table) {
  if (!table.rows) return null;
  const currency = gpuCurrency(table);
  const rows = everyRow(table).filter((row) => words.currency.values[table.currency[row]] === currency);
  const found = ranked(sums(rows, table.bought, table.cost), "bought");
  const all = found.reduce((sum, each) => sum + each[1], 0n);
  const most = Math.max(...found.map((each) => size(each[1])), 0);
  const ahead = found.filter(([code]) => ["reserved", "savings_plan", "committed_use"].includes(words.bought.values[code])).reduce((sum, each) => sum + each[1], 0n);
  const list = found.map(([code, amount]) => ({ code, amount }));
  const columns = [
    { head: "GPU capacity bought", cell: (row) => label("bought", row.code).replace(/_/g, " ") },
    { head: "", wide: true, cell: (row) => rowBar([{ value: row.amount, paint: "1" }], most, 0), file: () => "" },
    { head: "Cost", figure: true, main: true, cell: (row) => money(row.amount, currency), file: (row) => exactText(row.amount) },
    { head: "Share", figure: true, cell: (row) => share(row.amount, all) },
  ];
  return [
    h("h3", {}, "How GPU capacity was bought"),
    sentence(share(ahead, all) + " of GPU cost (" + money(ahead, currency) + " of " + money(all, currency) + ") was bought ahead, as far as the bill says how it was bought."),
    dataTable({ name: "coverage", caption: "GPU cost by way of buying", columns, rows: list, foot: ["Total", "", money(all, currency), all > 0n ? percent(1) : NONE] }),
  ];
}
