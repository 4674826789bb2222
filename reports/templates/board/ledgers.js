/* Does it add up: four ledgers of the same spend, every cause of their difference, and every invoice. */
async function drawLedgers(host) {
  const one = month();
  const table = await part("lines-" + one.month);
  show(host, fourLedgers(one), bridge(one), bills(one, table));
}

function fourLedgers(one) {
  const rows = rowsOf("ledgers", one);
  if (!rows) return sentence("This snapshot holds no reconciliation of bills and logs.");
  if (!rows.length) return sentence("Nothing of " + one.label + " was compared: no bill or log names tokens.");
  const told = new Map((rowsOf("reconciliation_summary", one) || []).map((row) => [row.provider_id, row]));
  const amount = (name) => (row) => units(row[name]);
  const sum = (name) => rows.reduce((all, row) => all + (units(row[name]) || 0n), 0n);
  const unexplained = (row) => (told.has(row.provider_id) ? units(told.get(row.provider_id).unexplained_difference) : null);
  const usd = (of) => ({ figure: true, cell: (row) => money(of(row), "USD"), file: (row) => exactText(of(row)) });
  const counted = (name) => ({ figure: true, cell: (row) => tokens(units(row[name])), file: (row) => exactText(units(row[name])) });
  const columns = [
    { head: "Provider", cell: (row) => named(row.provider_id, row.has_bill === false && "no bill names it"), file: (row) => row.provider_id },
    { head: "1 Bill", ...usd(amount("billed_cost")) },
    { head: "2 Usage API, tokens", ...counted("counted_tokens") },
    { head: "3 Gateway log, tokens", ...counted("logged_tokens") },
    { head: "4 Log at the price book", ...usd(amount("estimated_cost")) },
    { head: "Bill less log", figure: true, cell: (row) => money(units(row.difference), "USD", true), file: (row) => row.difference },
    { head: "Of it unexplained", ...usd(unexplained) },
  ];
  rows.sort((a, b) => (magnitude(units(a.billed_cost)) < magnitude(units(b.billed_cost)) ? 1 : -1));
  const missing = Array.from(told.values()).reduce((all, row) => all + units(row.unpriced_tokens), 0n);
  const residue = Array.from(told.values()).reduce((all, row) => all + (units(row.unexplained_difference) || 0n), 0n);
  return [
    h("h3", {}, "Four ledgers of the same spend"),
    dataTable({
      name: "ledgers",
      caption: "Bill, usage API, gateway log and price-book estimate by provider, " + one.label,
      columns,
      rows,
      foot: ["Total", money(sum("billed_cost"), "USD"), "", "", money(sum("estimated_cost"), "USD"), money(sum("difference"), "USD", true), money(residue, "USD")],
      note: "What model providers bill and what the log says, in USD." + (missing > 0n ? " " + tokens(missing) + " logged tokens have no known price: their cost is in no estimate." : ""),
    }),
  ];
}

/* From the log's estimate to the bill, cause by cause; bars of causes float where the sum stands. */
function bridge(one) {
  const causes = rowsOf("reconciliation_by_cause", one);
  const ledgers = rowsOf("ledgers", one);
  if (!causes || !ledgers || !ledgers.length) return null;
  const known = ["", ...ledgers.map((row) => row.provider_id).sort()];
  const provider = known.includes(view.picks.provider) ? view.picks.provider : "";
  const mine = (row) => !provider || row.provider_id === provider;
  const add = (rows, name) => rows.filter(mine).reduce((all, row) => all + (units(row[name]) || 0n), 0n);
  const start = add(ledgers, "estimated_cost");
  const end = add(ledgers, "billed_cost");
  const found = new Map();
  for (const row of causes.filter(mine)) found.set(row.cause, (found.get(row.cause) || 0n) + units(row.usd));
  const steps = Array.from(found.entries()).filter((each) => each[1] !== 0n).sort((a, b) => (magnitude(a[1]) < magnitude(b[1]) ? 1 : -1));
  let at = start;
  const rows = [{ text: "Log at the price book", from: 0n, to: start, strong: true }];
  for (const [cause, amount] of steps) {
    const [text, note] = core.causes[cause] || [cause, ""];
    rows.push({ text, note, from: at, to: at + amount, amount, cause });
    at += amount;
  }
  const rest = end - at;
  if (rest !== 0n) rows.push({ text: "Not split by cause", from: at, to: end, amount: rest });
  rows.push({ text: "Bill", from: 0n, to: end, strong: true });
  const most = Math.max(...rows.map((row) => Math.max(size(row.from), size(row.to))), 0);
  const least = Math.min(...rows.map((row) => Math.min(size(row.from), size(row.to))), 0);
  const columns = [
    { head: "From log to bill", cell: (row) => named(row.text, row.note), file: (row) => row.text },
    { head: "", wide: true, cell: (row) => floating(row, most, least), file: () => "" },
    { head: "USD", figure: true, main: true, cell: (row) => (row.strong ? money(row.to, "USD") : money(row.amount, "USD", true)), file: (row) => exactText(row.strong ? row.to : row.amount) },
  ];
  return [
    h("h3", {}, "Why bill and log differ"),
    choice("provider", "Provider", known.map((id) => [id, id || "All"]), provider, (id) => pick("provider", id)),
    dataTable({ name: "bridge", caption: "From the log at the price book to the bill, by cause, " + one.label, columns, rows }),
  ];
}

function floating(row, most, least) {
  const paint = row.strong ? "ink" : row.to > row.from ? "2" : "1";
  const from = Math.min(size(row.from), size(row.to));
  const length = Math.abs(size(row.to) - size(row.from));
  return s("svg", { class: "bar", "aria-hidden": "true" }, s("rect", { class: "paint-" + paint, ...stretch(from, length, least, most - least || 1) }));
}

const TIE_OUT = {
  tied_out: "Ties out",
  differs: "Differs",
  no_lines: "No line names it",
  no_stated_total: "No total stated",
};

/* Every bill: what was posted of it, what its lines come to, what the provider asks for. */
function bills(one, table) {
  const invoices = rowsOf("invoice_tie_out", one);
  const states = rowsOf("period_states", one);
  if (!invoices || !states) return sentence("This snapshot does not say what invoices ask for.");
  const posted = postedByProvider(table);
  const rows = [];
  for (const state of states) {
    const own = invoices.filter((row) => row.provider_name === state.provider_name);
    const currencies = Array.from(new Set([...own.map((row) => row.billing_currency), ...Array.from(posted.keys()).filter((k) => k.startsWith(state.provider_name + "\n")).map((k) => k.split("\n")[1])])).sort();
    for (const currency of currencies) rows.push(billRow(state, own.filter((row) => row.billing_currency === currency), currency, posted));
  }
  rows.sort((a, b) => (magnitude(a.posted) < magnitude(b.posted) ? 1 : -1));
  const amount = (name) => ({ figure: true, cell: (row) => money(row[name], row.currency), file: (row) => exactText(row[name]) });
  const columns = [
    { head: "Bill", cell: (row) => named(row.provider, row.why), file: (row) => row.provider },
    { head: "Settled", tight: true, cell: (row) => (row.open ? [key("hatch", true), row.state] : row.state), file: (row) => row.state },
    { head: "Posted to accounts", ...amount("posted") },
    { head: "Lines of the bill", ...amount("lines") },
    { head: "Provider asks for", ...amount("stated") },
    { head: "Result", cell: (row) => row.result },
  ];
  return [
    h("h3", {}, "Bills and invoices"),
    dataTable({ name: "bills", caption: "Every bill of " + one.label + ": posted, billed, asked for", columns, rows, note: "Billed cost, in the bill's currency. Posted and billed are equal to the last decimal, or the row says so." }),
  ];
}

function postedByProvider(table) {
  const found = new Map();
  for (let row = 0; row < table.rows; row += 1) {
    if (words.corrects.values[table.corrects[row]]) continue;
    const currency = words.currency.values[table.currency[row]];
    const name = words.provider.values[table.provider[row]] + "\n" + currency;
    const isOwn = currency === core.currency;
    const billed = isOwn ? table.cost[row] + table.billed[row] : table.own[row] + table.own_billed[row];
    found.set(name, (found.get(name) || 0n) + billed);
  }
  return found;
}

function billRow(state, invoices, currency, posted) {
  const sum = (name) => (invoices.some((row) => row[name] !== null) ? invoices.reduce((all, row) => all + (units(row[name]) || 0n), 0n) : null);
  const lines = sum("billed_cost");
  const found = posted.get(state.provider_name + "\n" + currency) || 0n;
  const differs = lines !== null && lines !== found;
  const kinds = Array.from(new Set(invoices.map((row) => TIE_OUT[row.tie_out] || row.tie_out)));
  return {
    provider: state.provider_name,
    state: state.period_state,
    open: state.period_state === "open" || state.period_state === "provisional",
    why: whyOpen(state),
    currency,
    posted: found,
    lines,
    stated: sum("stated_total"),
    result: differs ? "Posted differs by " + exactText(found - lines) : ["Posted whole", ...kinds.map((kind) => kind.toLowerCase())].join(", "),
  };
}

function whyOpen(state) {
  const told = [];
  if (state.open_source_count) told.push("not asked since the month ended");
  if (state.provisional_source_count) told.push("its source can still change it");
  if (state.refused_source_count) told.push("lines could not be read");
  if (state.differing_invoice_count) told.push("an invoice differs");
  return told.join(", ");
}
