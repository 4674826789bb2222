/* The head of the page: which month, what it comes to, whether that adds up, and the months before it. */
function drawHead(host) {
  const one = month();
  const at = core.months.indexOf(one);
  const step = (to, text, mark) =>
    button(mark, () => go({ month: core.months[to].month, day: null, more: {} }), {
      class: "step",
      "aria-label": text,
      "data-focus": text,
      disabled: !core.months[to],
    });
  const picker = h(
    "select",
    { id: "month", "aria-label": "Month", "data-focus": "month", onchange: (event) => go({ month: event.target.value, day: null, more: {} }) },
    core.months.map((each) => h("option", { value: each.month, selected: each === one }, each.label + (isOpen(each) ? " (" + each.headline.toLowerCase() + ")" : ""))),
  );
  show(
    host,
    h("div", { class: "top" }, h("div", {}, h("p", { class: "company" }, "AI cost board"), h("h1", {}, core.company)), h("div", { class: "picker" }, step(at - 1, "Month before", "\u2039"), picker, step(at + 1, "Month after", "\u203a"))),
    h("p", { class: "banner banner-" + one.state }, h("span", { class: "badge", "aria-hidden": "true" }), h("span", {}, h("strong", {}, one.headline + "."), " " + one.text)),
  );
}

function isOpen(one) {
  return one.state === "open" || one.state === "provisional";
}

async function drawTotal(host) {
  const one = month();
  const table = await part("lines-" + one.month);
  const found = total(table.cost, everyRow(table));
  const before = monthBefore();
  const rows = everyRow(table);
  const kinds = ranked(sums(rows, table.kind, table.cost), "kind");
  const without = apart(table, rows, table.kind);
  const known = inSums(table, rows, table.kind);
  const kindText = ([code, amount]) => [known.has(code) && money(amount, core.currency), without.has(code) && h("span", { class: "note" }, (known.has(code) ? " + " : "") + apartText(without.get(code)))];
  const held = one.residuals.reduce((sum, [, amount]) => sum + units(amount), 0n);
  show(
    host,
    h(
      "div",
      { class: "hero" },
      h(
        "div",
        {},
        h("p", { class: "label" }, "Effective cost, " + one.label),
        h("p", { class: "total" }, money(units(one.total), core.currency)),
        one.apart.length > 0 && h("p", { class: "apart" }, "Not in it, for want of an exchange rate: " + one.apart.map(([currency, amount]) => money(units(amount), currency)).join(" + ")),
        h("p", { class: "change" }, changeText(one, before)),
        h("dl", { class: "kinds" }, kinds.map((kind) => h("div", {}, h("dt", {}, label("kind", kind[0])), h("dd", {}, kindText(kind))))),
      ),
      h("div", { class: "strip", id: "strip" }),
    ),
    proof(one, table, found, held),
  );
  drawStrip(document.getElementById("strip"), null);
}

function changeText(one, before) {
  if (!before) return "This file holds no month before it to compare with.";
  const change = units(one.total) - units(before.total);
  const open = one.state === "open" ? " so far" : "";
  if (change === 0n) return "As much as in " + before.label + open + ".";
  const ratio = units(before.total) > 0n ? " (" + percent(size(change) / size(units(before.total)), true) + ")" : "";
  return money(change, core.currency, true) + ratio + " against " + before.label + open + ".";
}

/* The page adds its own lines up and says whether they are what the marts say. */
function proof(one, table, found, held) {
  const parts = units(one.allocated) + held;
  const isWhole = found === units(one.total) && parts === found;
  const lines = plural(table.rows, "line", "lines");
  const [allocated, residual, whole] = addedUp([units(one.allocated), held], units(one.total), core.currency);
  if (!isWhole) {
    return h("p", { class: "banner banner-wrong", role: "alert" }, h("strong", {}, "It does not add up. "), "The " + lines + " in this file come to " + exactText(found) + ", the marts say " + one.total + " " + core.currency + ". Do not use this page; render it again.");
  }
  const adjusted = units(one.adjusted);
  return h(
    "div",
    { class: "proof", id: "proof" },
    h("p", {}, h("span", { class: "tick-mark", "aria-hidden": "true" }, "\u2713 "), h("strong", {}, "It adds up. "), allocated + " charged to teams + " + residual + " that no team is charged with = " + whole + ", the month's bills and adjustments as posted."),
    h(
      "p",
      { class: "note" },
      "Summed here from " + lines + ", equal to the marts to the twelfth decimal: " + placed(units(one.total), PLACES) + " " + core.currency + ". ",
      adjusted !== 0n && money(adjusted, core.currency, true) + " of it corrects locked months. ",
      units(one.billed) !== units(one.total) && "Invoices ask for " + money(units(one.billed), core.currency) + ": here prepaid commitments are spread over what they cover. ",
      "Every amount is rounded by itself and reads alike wherever it stands, so a column may miss its total by a last digit; Exact amounts shows every digit. ",
      "Snapshot " + core.snapshot + ". Figures as of " + one.as_of + ".",
    ),
  );
}

/* Twelve months in a row; `found` has what the filters leave of each, null for all of it. */
function drawStrip(host, found) {
  if (!host) return;
  const columns = core.months.map((one) => ({
    key: one.month,
    text: one.label,
    tick: one.label.slice(0, core.months.length > 6 ? 1 : 3),
    parts: [{ series: 0, value: found ? found.get(one.month) : units(one.total), open: isOpen(one) }],
  }));
  const filtered = Object.keys(view.filters).length > 0;
  show(
    host,
    h("p", { class: "label" }, filtered && found ? "By month, filtered" : "By month"),
    columnChart({
      name: "months",
      caption: "Effective cost by month. Enter shows a month.",
      columns,
      series: [{ key: "all", text: "", paint: "1" }],
      currency: core.currency,
      height: 168,
      width: Math.max(200, host.clientWidth),
      picked: { column: view.month },
      pick: (key) => key && go({ month: key, day: null, more: {} }),
    }),
  );
}

/* What the filters leave of every month; the months are opened one by one, after the page stands. */
async function monthsFiltered() {
  const found = new Map();
  for (const one of core.months) {
    const table = await part("lines-" + one.month);
    found.set(one.month, total(table.cost, chosen(table, ["day"])));
  }
  return found;
}
