/* What was unusual: each story once, with what it cost, what made it, and what to do first. */
const METRICS = {
  cost: "cost a day",
  cost_per_request: "cost of a request",
  tokens: "tokens a day",
  tokens_per_request: "tokens of a request",
  output_tokens_per_request: "written tokens of a request",
  cost_per_outcome: "cost of an outcome",
};
const CAUSES = {
  key_leak: "A key is used from elsewhere",
  new_model: "A new model",
  cache_collapse: "The cache stopped helping",
  price_change: "A price changed",
  runaway_loop: "A job runs in circles",
  longer_requests: "Longer requests",
  more_requests: "More requests",
  burn_without_outcomes: "Money that nothing comes of",
  gpu_cost: "GPUs cost more",
  not_logged: "Billed, and not in the log",
};

const PARTS = {
  account: "team",
  cost_kind: "kind",
  key_id: "key",
  model_id: "model",
  provider_name: "provider",
  service_name: "service",
};
const STORIES = 6;

function drawAnomalies(host) {
  const one = month();
  const all = rowsOf("anomalies");
  if (!all) return show(host, sentence("This snapshot holds no anomalies."));
  const last = dayAfter(one.first, one.days - 1);
  const rows = all.filter((row) => row.onset_date <= last && (row.resolved_date === null || row.resolved_date > one.first));
  const alerts = rows.filter((row) => row.is_alert).sort(byExcess);
  const others = rows.filter((row) => !row.is_alert && row.parent_id === null).sort(byExcess);
  const settled = all.reduce((newest, row) => (row.settled_date > newest ? row.settled_date : newest), "");
  show(
    host,
    sentence(alerts.length ? plural(alerts.length, "story", "stories") + " large in money in " + one.label + ". Amounts are estimates: what was expected is one." : "Nothing large in money was unusual in " + one.label + "."),
    alerts.slice(0, STORIES).map((row) => story(row, all)),
    alerts.length > STORIES && h("details", {}, h("summary", {}, "The other " + count(alerts.length - STORIES) + ", smaller ones"), alerts.slice(STORIES).map((row) => story(row, all))),
    others.length > 0 && h("details", {}, h("summary", {}, plural(others.length, "smaller or falling one", "smaller or falling ones") + ", no alert"), smaller(others)),
    settled && h("p", { class: "note" }, "Judged are settled days alone, the newest of them " + dayText(settled, true) + "."),
  );
}

function byExcess(a, b) {
  const one = magnitude(units(a.excess_cost) || 0n);
  const other = magnitude(units(b.excess_cost) || 0n);
  return one === other ? (a.anomaly_id < b.anomaly_id ? -1 : 1) : one > other ? -1 : 1;
}

function who(row) {
  if (row.level === "organisation") return "The whole organisation";
  if (row.level === "outcome") return row.outcome_kind;
  const code = words.account.codes.get(row.account);
  const team = code === undefined ? row.account.replace(/^(team|residual):/, "") : label("account", code);
  return team + (row.model_id ? " \u00b7 " + row.model_id : "");
}

function when(row) {
  const until = row.resolved_date ? dayAfter(row.resolved_date, -1) : null;
  if (!until) return "since " + dayText(row.onset_date, true);
  return until === row.onset_date ? dayText(until, true) : dayText(row.onset_date) + " \u2013 " + dayText(until, true);
}

function story(row, all) {
  const below = all.filter((other) => other.story_id === row.story_id && other.anomaly_id !== row.anomaly_id).sort(byExcess);
  const rise = row.metric.includes("tokens") ? (value) => tokens(units(value)) : (value) => money(units(value), row.currency);
  return h(
    "article",
    { class: "story" },
    h("h3", {}, who(row)),
    h("p", { class: "excess" }, h("strong", {}, money(units(row.excess_cost), row.currency, true)), " beyond expectation, " + when(row) + (row.state === "resolved" ? "" : ", not over") + "."),
    h("p", {}, h("span", { class: "cause" }, row.cause ? CAUSES[row.cause] || row.cause : "No single cause"), ": ", METRICS[row.metric] + " " + rise(row.observed_mean) + " instead of " + rise(row.expected_mean) + ". ", row.evidence),
    row.is_new_level && h("p", { class: "note" }, "It became usual: its last week was still a fifth above what was expected before."),
    row.runbook && h("p", {}, h("strong", {}, "First: "), row.runbook),
    parts(row),
    below.length > 0 && h("details", {}, h("summary", {}, plural(below.length, "more finding tells", "more findings tell") + " the same story"), smaller(below)),
    h("p", { class: "under" }, row.account && words.account.codes.has(row.account) && button("Show its lines", () => showLines(row), { class: "quiet", "data-focus": "story-" + row.anomaly_id })),
  );
}

function showLines(row) {
  const filters = { account: row.account };
  if (row.model_id && words.model.codes.has(row.model_id)) filters.model = row.model_id;
  return showFiltered(filters);
}

/* In which parts of which dimensions it lies; amounts as the mart has them. */
function parts(row) {
  const found = row.contributors ? JSON.parse(row.contributors) : [];
  const mix = [["more or fewer tokens", row.volume_cost], ["dearer or cheaper models", row.mix_cost], ["another price", row.price_cost]].filter(([, amount]) => amount !== null);
  if (!found.length && !mix.length) return null;
  return h(
    "ul",
    { class: "parts" },
    found.length > 0 && h("li", {}, "Most of it lies in: ", found.slice(0, 3).map((each, i) => [i ? ", " : "", (PARTS[each.dimension] || each.dimension) + " ", h("strong", {}, elementText(each)), " " + money(units(each.change_cost), row.currency, true)])),
    mix.length > 0 && h("li", {}, "Of what was logged: " + mix.map(([text, amount]) => money(units(amount), row.currency, true) + " " + text).join(", ")),
  );
}

function elementText(each) {
  const name = { account: "account", cost_kind: "kind" }[each.dimension];
  const code = name && words[name].codes.get(each.element);
  const text = code === undefined ? String(each.element) : label(name, code);
  return text.length > 40 ? text.slice(0, 12) + "\u2026" + text.slice(-6) : text || "(none)";
}

function smaller(rows) {
  const columns = [
    { head: "Whose", cell: (row) => named(who(row), row.evidence), file: who },
    { head: "What", cell: (row) => METRICS[row.metric] + (row.direction === "rise" ? " rose" : " fell") },
    { head: "When", cell: when },
    { head: "Beyond expectation", figure: true, cell: (row) => money(units(row.excess_cost), row.currency, true), file: (row) => row.excess_cost },
  ];
  return dataTable({ name: "anomalies-" + (rows[0].story_id === rows[0].anomaly_id ? "others" : rows[0].story_id), caption: "Unusual, and no alert", columns, rows, limit: 20, redraw: drawAll });
}
