/* Own GPUs or an API: what each declared plan comes to, against today's API and the cheapest one of the same weights. */
const HELD_AGAINST = {
  todays_api: "Today's API",
  same_weights_api: "Cheapest API of the same weights",
};
const PAYS = {
  self_host: "Own GPUs",
  open: "Open",
  api: "API",
};
const NO_VERDICT = {
  no_traffic: "the log has no tokens of the model",
  short_log: "the log has less than a week of it",
  does_not_fit: "eight GPUs do not hold it, or their memory is not known",
  no_throughput: "no rate was measured and none is published",
  no_gpu_price: "no list has a price of the machines where data may go",
  unpriced_tokens: "some tokens have no price: the API costs more than is shown",
  unknown_interruptions: "the plan does not say how often spot machines are taken away",
  interrupted_too_often: "spot machines are taken away too often",
};
const BOUGHT_AS = {
  on_demand: "on demand",
  reserved: "committed",
  spot: "spot",
};

async function drawOwn(host) {
  const rows = rowsOf("break_even");
  if (!rows) return show(host, sentence("This snapshot does not hold own GPUs against APIs."));
  if (!rows.length) return show(host, sentence("No plan to serve a model on GPUs of one's own is declared (self_hosting in the configuration)."));
  rows.forEach((row) => Object.assign(row, { api: units(row.api_monthly_cost), own: units(row.own_monthly_cost), low: units(row.saving_p10), half: units(row.saving_p50), high: units(row.saving_p90) }));
  rows.sort(byPlan);
  const best = Array.from(new Map(rows.map((row) => [row.plan_id + "\n" + row.against, row]).reverse()).values()).reverse();
  const plans = new Set(rows.map((row) => row.plan_id));
  const paying = new Set(best.filter((row) => row.verdict === "self_host" && row.against === "todays_api").map((row) => row.plan_id));
  show(
    host,
    sentence(plural(paying.size, "plan", "plans") + " of " + count(plans.size) + " would very likely cost less on own GPUs than on today's API. Nothing of this is on a bill: these are estimates, whatever month is shown above."),
    ownTable(best),
    paysTable(best.filter((row) => row.own !== null)),
    rows.length > best.length && h("details", {}, h("summary", {}, "All " + plural(rows.length, "way", "ways") + " to buy the machines"), waysTable(rows)),
  );
}

/* The cheapest machines with a verdict come first: a map of the reversed rows keeps them. */
function byPlan(a, b) {
  if (a.plan_id !== b.plan_id) return a.plan_id < b.plan_id ? -1 : 1;
  if (a.against !== b.against) return a.against === "todays_api" || (a.against && b.against === "") ? -1 : 1;
  if (!a.verdict !== !b.verdict) return a.verdict ? -1 : 1;
  if (a.own === b.own) return 0;
  return b.own === null || (a.own !== null && a.own < b.own) ? -1 : 1;
}

function apiText(row) {
  return [row.api_provider_id, row.api_model_id].filter(Boolean).join(" \u00b7 ");
}

function machineText(row) {
  const term = row.term_months ? plural(row.term_months, "month", "months") : null;
  return [BOUGHT_AS[row.purchase_option] || row.purchase_option, term, row.instance_type, row.region_id].filter(Boolean).join(" \u00b7 ");
}

function verdictCell(row) {
  if (!row.verdict) return named(NONE, NO_VERDICT[row.reason] || row.reason);
  return named(PAYS[row.verdict] || row.verdict, "cheaper with a chance of " + percent(row.probability));
}

function weightsText(row) {
  return row.weights + " in " + row.quantisation;
}

const usdOf = (name) => ({ cell: (row) => money(row[name], "USD"), file: (row) => exactText(row[name]) });
const PLAN = { head: "Model", cell: (row) => named(row.model_id, "plan " + row.plan_id), file: (row) => row.model_id + ", " + row.plan_id };
const AGAINST = { head: "Against", cell: (row) => named(HELD_AGAINST[row.against] || NONE, apiText(row)), file: (row) => row.against };

function costColumns(more) {
  return [
    PLAN,
    { head: "Served by", cell: (row) => named(weightsText(row), machineText(row)), file: (row) => [weightsText(row), machineText(row)].filter(Boolean).join(", ") },
    AGAINST,
    { head: "API a month", figure: true, ...usdOf("api") },
    { head: "Own GPUs a month", figure: true, ...usdOf("own") },
    { head: "Saves at least", figure: true, main: true, cell: (row) => named(money(row.low, "USD"), more && row.half !== null ? "half of draws " + money(row.half, "USD") : null), file: (row) => exactText(row.low) },
    { head: "Cheaper", cell: verdictCell, file: (row) => row.verdict || row.reason },
  ];
}

function ownTable(rows) {
  const note = "Saves at least: what nine of ten draws reach; below zero it costs more. Cheaper: own GPUs from a chance of 80\u202f% on, the API up to 20\u202f%. Rates are " + ratesText(rows) + ".";
  return dataTable({ name: "own", caption: "Own GPUs or an API, by plan", columns: costColumns(true), rows, limit: 12, redraw: drawAll, note });
}

/* What would have to be so for own GPUs to pay, of the plans that have figures. */
function paysTable(rows) {
  if (!rows.length) return null;
  const columns = [
    PLAN,
    AGAINST,
    { head: "Would be busy", figure: true, cell: (row) => percent(row.utilisation_ratio), file: (row) => row.utilisation_ratio },
    { head: "Has to be busy", figure: true, cell: (row) => percent(row.needed_utilisation_ratio), file: (row) => row.needed_utilisation_ratio },
    { head: "Pays from, a month", figure: true, cell: breakEven, file: (row) => row.break_even_monthly_tokens },
    { head: "Setup is back in", figure: true, cell: (row) => (row.payback_months === null ? NONE : machines(row.payback_months) + " months"), file: (row) => row.payback_months },
    { head: "Ask again", wide: true, cell: askAgain, file: command },
  ];
  const note = "Has to be busy: the share of its time at which own GPUs cost what the API asks; above 100\u202f% they never pay. A dash: people and platform alone cost more, or nothing is saved that would pay the setup.";
  return [h("h3", {}, "What it takes to pay"), dataTable({ name: "own-pays", caption: "When own GPUs pay, by plan", columns, rows, limit: 12, redraw: drawAll, note })];
}

function breakEven(row) {
  if (row.break_even_monthly_tokens === null) return row.verdict ? named("never", "up to 4,096 times") : NONE;
  return named(short(row.break_even_monthly_tokens, null) + " tokens", count(Number(row.break_even_multiple.toPrecision(2))) + " times today's");
}

function ratesText(rows) {
  const published = rows.filter((row) => row.throughput_basis === "reference").length;
  if (!published) return "the company's own";
  return published === rows.length ? "published peaks, not the company's own: measure before you buy" : "the company's own, or published peaks: measure before you buy";
}

/* Rates are not told here: whoever asks again has measured them. A name from a log is quoted for a shell. */
function command(row) {
  if (row.machine_hour_cost === null || !row.machine_gpus) return "";
  const gpuHour = (Number(row.machine_hour_cost) / row.machine_gpus).toFixed(4);
  return "farthing what-if self-host '" + row.model_id.replace(/'/g, "'\\''") + "' --gpus " + row.replica_gpus + " --gpu-hour-cost " + gpuHour + " --prefill-rate TOKENS_A_SECOND --decode-rate TOKENS_A_SECOND";
}

function askAgain(row) {
  const text = command(row);
  return text ? h("details", { class: "evidence" }, h("summary", {}, "With other figures"), h("code", {}, text)) : NONE;
}

function waysTable(rows) {
  return dataTable({ name: "own-ways", caption: "Own GPUs or an API, every way to buy the machines", columns: costColumns(false), rows, limit: 12, redraw: drawAll });
}
