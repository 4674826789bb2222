/* What a request and a user cost: the company's, each team's, each feature's, and a team's features by route. */
const REQUEST_LEVELS = [
  ["company", "Company"],
  ["team", "Team"],
  ["feature", "Feature"],
  ["all", "Team, feature and route"],
];

function requestCosts(rows, one) {
  if (!rows) return sentence("This snapshot does not say what a request costs.");
  if (!rows.length) return null;
  const level = pickedOf("requests", REQUEST_LEVELS);
  const team = (view.filters.account || "").startsWith("team:") ? view.filters.account.slice(5) : null;
  const isMine = (row) => row.level === level && (team === null || !["team", "all"].includes(level) || row.team_id === team) && (view.filters.feature === undefined || !["feature", "all"].includes(level) || row.feature === view.filters.feature);
  const own = rows.filter(isMine).map((row) => ({ ...row, cost: units(row.priced_cost_usd), each: units(row.cost_per_request_usd), user: units(row.cost_per_user_usd) }));
  own.sort((a, b) => (a.cost === b.cost ? b.request_count - a.request_count : a.cost < b.cost ? 1 : -1));
  const most = Math.max(...own.map((row) => size(row.cost)), 0);
  const counted = (name) => ({ figure: true, cell: (row) => count(row[name]), file: (row) => row[name] });
  const priced = (name) => ({ figure: true, cell: (row) => fine(row[name], "USD"), file: (row) => exactText(row[name]) });
  const columns = [
    { head: REQUEST_LEVELS.find(([name]) => name === level)[1], cell: (row) => named(requestPick(row, level), requestNote(row)), file: (row) => ({ company: "company", team: row.team_id, feature: row.feature, all: [row.team_id, row.feature, row.route].join(", ") })[level] },
    { head: "", wide: true, cell: (row) => rowBar([{ value: row.cost, paint: "1" }], most, 0), file: () => "" },
    { head: "Cost", figure: true, cell: (row) => money(row.cost, "USD"), file: (row) => row.priced_cost_usd },
    { head: "Requests", ...counted("request_count") },
    { head: "A request", ...priced("each"), main: true },
    { head: "Users", ...counted("user_count") },
    { head: "A user", ...priced("user") },
  ];
  return [
    h("h3", {}, "What a request and a user cost"),
    choice("requests", "By", REQUEST_LEVELS, level, (name) => pick("requests", name)),
    dataTable({ name: "requests", caption: "Cost of a request and of a user, " + one.label, columns, rows: own, limit: 12, redraw: drawAll, note: "Of the log's attempts, at the price book and on own GPUs, in USD. A user is the customer whom the log tells, else the calling user; who uses two features is one user of the company. A dash: nobody's cost is known." }),
  ];
}

function requestNote(row) {
  const told = [[row.failure_count, "failed"], [row.unpriced_count, "without a known cost"], [row.unnamed_count, "of nobody who is named"]];
  const parts = told.filter(([number]) => number > 0).map(([number, text]) => count(number) + " " + text);
  return [row.route && row.route.replace(/_/g, " "), parts.join(", ")].filter(Boolean).join(": ");
}

/* A team or a feature leads to its lines; what the spend does not know by that name leads nowhere. */
function requestPick(row, level) {
  if (level === "company") return core.company;
  const account = row.team_id ? "team:" + row.team_id : "";
  const [name, value] = level === "feature" ? ["feature", row.feature] : ["account", account];
  const team = account ? accountText(account) : "No owner";
  const text = { team, feature: row.feature || NOTHING.feature, all: team + " \u00b7 " + (row.feature || NOTHING.feature) }[level];
  if (!words[name].codes.has(value)) return text;
  return button(text, () => addFilter(name, value), { class: "pick", "aria-pressed": String(view.filters[name] === value), "data-focus": "requests-" + [row.team_id, row.feature, row.route].join("-") });
}
