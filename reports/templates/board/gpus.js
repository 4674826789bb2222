/* GPU money: what of it worked, idled, or was held by nobody; by cluster, by day, by hour. */
const GPU_STATES = [
  ["effective", "3"],
  ["under_used", "5"],
  ["allocated_idle", "2"],
  ["warm_standby", "4"],
  ["unallocated", "6"],
  ["unknown", "rest"],
  ["unhealthy", "ink"],
];
const LOST = ["allocated_idle", "unallocated", "unhealthy"];
const GPU_BY = [
  ["cluster", "Cluster"],
  ["gpu", "GPU model"],
  ["account", "Who holds it"],
  ["bought", "Way of buying"],
];

async function drawGpus(host) {
  const one = month();
  const table = await part("gpu-" + one.month);
  if (!table.rows) return show(host, sentence("No GPU of " + one.label + " is in this snapshot."));
  const currency = gpuCurrency(table);
  const rows = gpuRows(table, currency, []);
  const hoursTable = await part("hours-" + one.month);
  show(host, gpuFilters(table, currency), gpuLead(table, rows, currency), gpuDays(table, rows, currency, one, host), gpuLegend(), gpuTable(table, currency, one), gpuHours(hoursTable, currency, one, host), bounds(one, currency));
}

/* Costs of GPUs stand in the bill's currency: one is shown at a time, none is added to another. */
function gpuCurrency(table) {
  const found = ranked(sums(everyRow(table), table.currency, table.cost), "currency").map(([code]) => words.currency.values[code]);
  return found.includes(view.gpu.currency) ? view.gpu.currency : found[0];
}

function gpuRows(table, currency, but) {
  const code = words.currency.codes.get(currency);
  const set = Object.entries(view.gpu).filter(([name]) => GPU_BY.some(([by]) => by === name) && !but.includes(name));
  const tests = set.map(([name, value]) => [table[name], words[name].codes.get(value)]);
  return everyRow(table).filter((row) => table.currency[row] === code && tests.every(([column, wanted]) => column[row] === wanted));
}

function gpuFilters(table, currency) {
  const currencies = ranked(sums(everyRow(table), table.currency, table.cost), "currency").map(([code]) => words.currency.values[code]);
  const set = GPU_BY.filter(([name]) => name in view.gpu);
  return [
    currencies.length > 1 && choice("gpu-currency", "Billed in", currencies.map((name) => [name, name]), currency, (name) => setGpu({ currency: name })),
    set.length > 0 && h("div", { class: "chips" }, h("span", { class: "label" }, "Shown only: "), set.map(([name, text]) => button([text + ": " + label(name, words[name].codes.get(view.gpu[name])), h("span", { "aria-hidden": "true" }, " \u00d7")], () => pickGpu(name, view.gpu[name]), { class: "chip", "data-focus": "gpu-chip-" + name }))),
  ];
}

function setGpu(changes) {
  return go({ gpu: { ...view.gpu, ...changes } });
}

function pickGpu(name, value) {
  const next = { ...view.gpu };
  if (next[name] === value) delete next[name];
  else next[name] = value;
  return go({ gpu: next });
}

function stateSums(table, rows) {
  const found = sums(rows, table.state, table.cost);
  return (name) => found.get(words.state.codes.get(name)) || 0n;
}

function gpuLead(table, rows, currency) {
  const of = stateSums(table, rows);
  const all = total(table.cost, rows);
  const unfilled = total(table.unfilled, rows);
  const told = [
    ["Held idle", of("allocated_idle")],
    ["Held by no team", of("unallocated")],
    ["Unhealthy", of("unhealthy")],
    ["Unknown", of("unknown")],
  ].filter(([, amount]) => amount > 0n);
  const [of_all, ...rest] = [money(all, currency), ...told.map(([text, amount]) => [text, money(amount, currency), share(amount, all)])];
  return [
    h("dl", { class: "kinds" }, h("div", {}, h("dt", {}, "GPU cost"), h("dd", {}, of_all)), rest.map(([text, amount, ratio]) => h("div", {}, h("dt", {}, text), h("dd", {}, amount, h("span", { class: "note" }, " " + ratio))))),
    unfilled > 0n && h("p", { class: "note" }, "Work left " + money(unfilled, currency) + " of under-used GPU time unfilled: an opportunity, and in no figure of waste."),
  ];
}

function gpuDays(table, rows, currency, one, host) {
  const byDay = new Map();
  for (const row of rows) {
    const day = words.day.values[table.day[row]];
    const name = words.state.values[table.state[row]];
    const at = GPU_STATES.findIndex(([each]) => each === name);
    if (!byDay.has(day)) byDay.set(day, new Map());
    const parts = byDay.get(day);
    if (!parts.has(at)) parts.set(at, { series: at, value: 0n, open: false });
    parts.get(at).value += table.cost[row];
  }
  const columns = Array.from({ length: one.days }, (_, i) => {
    const day = dayAfter(one.first, i);
    const parts = Array.from((byDay.get(day) || new Map()).values()).sort((a, b) => a.series - b.series);
    return { key: day, text: dayText(day, true), tick: i === 0 || (i + 1) % 5 === 0 ? String(i + 1) : null, missing: one.missing.includes(day), parts };
  });
  const series = GPU_STATES.map(([name, paint]) => ({ key: name, text: stateText(name), paint }));
  const caption = "GPU cost by day of " + one.label + ", stacked by what the GPUs did. Enter on a day shows its lines.";
  const pick = (day) => day && go({ day, filters: { kind: "gpu" }, more: {} }).then(() => document.getElementById("lines-title").focus());
  return columnChart({ name: "gpu-days", caption, columns, series, currency, height: 220, width: Math.max(280, host.clientWidth), picked: {}, pick });
}

function stateText(name) {
  const code = words.state.codes.get(name);
  return code === undefined ? name.replace(/_/g, " ") : words.state.labels[code];
}

function gpuLegend() {
  const used = GPU_STATES.filter(([name]) => words.state.codes.has(name));
  return h("p", { class: "legend" }, used.map(([name, paint]) => h("span", {}, key(paint), stateText(name))));
}

function gpuTable(table, currency, one) {
  const by = GPU_BY.some(([name]) => name === view.picks.gpuBy) ? view.picks.gpuBy : "cluster";
  const rows = gpuRows(table, currency, [by]);
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(table[by][row])) groups.set(table[by][row], []);
    groups.get(table[by][row]).push(row);
  }
  const list = Array.from(groups.entries()).map(([code, own]) => ({ code, own, cost: total(table.cost, own), of: stateSums(table, own) }));
  list.forEach((row) => (row.lost = LOST.reduce((sum, name) => sum + row.of(name), 0n)));
  list.sort((a, b) => (a.lost === b.lost ? (label(by, a.code) < label(by, b.code) ? -1 : 1) : a.lost < b.lost ? 1 : -1));
  const most = Math.max(...list.map((row) => size(row.cost)), 0);
  const amount = (of) => ({ figure: true, cell: (row) => money(of(row), currency), file: (row) => exactText(of(row)) });
  const columns = [
    { head: GPU_BY.find(([name]) => name === by)[1], cell: (row) => gpuPick(by, row.code), file: (row) => words[by].values[row.code] },
    { head: "", wide: true, cell: (row) => rowBar(GPU_STATES.map(([name, paint]) => ({ value: row.of(name), paint })), most, 0), file: () => "" },
    { head: "GPU cost", ...amount((row) => row.cost) },
    { head: "Idle", ...amount((row) => row.of("allocated_idle")) },
    { head: "No team", ...amount((row) => row.of("unallocated")) },
    { head: "GPU hours", figure: true, cell: (row) => hours(total(table.seconds, row.own)), file: (row) => exactText(total(table.seconds, row.own) / 3600n) },
    { head: "Seen", figure: true, cell: (row) => share(total(table.observed, row.own), total(table.seconds, row.own)) },
  ];
  const sum = (of) => money(list.reduce((all, row) => all + of(row), 0n), currency);
  const all = list.flatMap((row) => row.own);
  return [
    choice("gpu-by", "Compare by", GPU_BY, by, (name) => pick("gpuBy", name)),
    dataTable({
      name: "gpu-" + by,
      caption: "GPU cost by " + GPU_BY.find(([name]) => name === by)[1].toLowerCase() + ", " + one.label,
      columns,
      rows: list,
      limit: 12,
      redraw: drawAll,
      foot: ["Total", "", sum((row) => row.cost), sum((row) => row.of("allocated_idle")), sum((row) => row.of("unallocated")), hours(total(table.seconds, all)), share(total(table.observed, all), total(table.seconds, all))],
      note: "Seen: share of GPU time whose state a sample tells. The rest is unknown, and called neither idle nor used.",
    }),
  ];
}

function gpuPick(by, code) {
  const value = words[by].values[code];
  return button(label(by, code), () => pickGpu(by, value), { class: "pick", "aria-pressed": String(view.gpu[by] === value), "data-focus": "gpu-" + by + "-" + value });
}

/* Hours of the day against days: what idled or was held by nobody, the darker the more. */
function gpuHours(table, currency, one, host) {
  if (!table.rows) return sentence("Hours of GPUs are not in this snapshot: only days can be shown.");
  const code = words.currency.codes.get(currency);
  const lost = new Set(LOST.map((name) => words.state.codes.get(name)));
  const cluster = view.gpu.cluster === undefined ? null : words.cluster.codes.get(view.gpu.cluster);
  const cells = new Map();
  for (let row = 0; row < table.rows; row += 1) {
    if (table.currency[row] !== code || (cluster !== null && table.cluster[row] !== cluster)) continue;
    const at = words.day.values[table.day[row]] + " " + table.hour[row];
    const found = cells.get(at) || { lost: 0n, all: 0n };
    found.all += table.cost[row];
    if (lost.has(table.state[row])) found.lost += table.cost[row];
    cells.set(at, found);
  }
  const most = Math.max(...Array.from(cells.values()).map((cell) => size(cell.lost)), 0);
  return [
    h("h3", {}, "Idle, held by no team or unhealthy, by hour"),
    h("p", { class: "note" }, (cluster === null ? "All clusters" : label("cluster", cluster)) + ". Each cell is an hour (UTC); the darker, the more of its GPU cost bought nothing. The darkest is " + money(most ? maxOf(cells) : 0n, currency) + " an hour."),
    heat(cells, one, most, currency, host.clientWidth),
    hourTable(cells, currency, one),
  ];
}

function maxOf(cells) {
  let most = 0n;
  for (const cell of cells.values()) if (cell.lost > most) most = cell.lost;
  return most;
}

function heat(cells, one, most, currency, room) {
  const width = Math.max(300, room);
  const left = 52;
  const wide = (width - left - 4) / one.days;
  const tall = 10;
  const marks = [];
  for (let i = 0; i < one.days; i += 1) {
    const day = dayAfter(one.first, i);
    for (let hour = 0; hour < 24; hour += 1) {
      const cell = cells.get(day + " " + hour);
      const shape = { x: left + i * wide, y: hour * tall, width: Math.max(1, wide - 1), height: tall - 1 };
      if (!cell) continue;
      const level = cell.lost <= 0n || !most ? 0 : Math.max(1, Math.ceil((size(cell.lost) / most) * 5));
      const mark = s("rect", { ...shape, class: "heat-" + level });
      hint(mark, [dayText(day) + ", " + hour + ":00 UTC", share(cell.lost, cell.all) + " of the hour's GPU cost", money(cell.lost, currency)]);
      marks.push(mark);
    }
    if (i === 0 || (i + 1) % 5 === 0) marks.push(s("text", { class: "tick", x: left + (i + 0.5) * wide, y: 24 * tall + 16, "text-anchor": "middle" }, String(i + 1)));
  }
  const hoursAxis = [0, 6, 12, 18].map((hour) => s("text", { class: "tick", x: left - 8, y: hour * tall + 9, "text-anchor": "end" }, hour + ":00"));
  const caption = "Idle GPU cost by hour and day; the table below has it by hour";
  return s("svg", { class: "chart", width, height: 24 * tall + 22, viewBox: "0 0 " + width + " " + (24 * tall + 22), role: "img", "aria-label": caption }, hoursAxis, marks);
}

function hourTable(cells, currency, one) {
  const rows = Array.from({ length: 24 }, (_, hour) => {
    let lost = 0n;
    let all = 0n;
    for (let i = 0; i < one.days; i += 1) {
      const cell = cells.get(dayAfter(one.first, i) + " " + hour);
      if (cell) [lost, all] = [lost + cell.lost, all + cell.all];
    }
    return { hour, lost, all };
  });
  const columns = [
    { head: "Hour (UTC)", cell: (row) => row.hour + ":00" },
    { head: "Bought nothing", figure: true, cell: (row) => money(row.lost, currency), file: (row) => exactText(row.lost) },
    { head: "GPU cost", figure: true, cell: (row) => money(row.all, currency), file: (row) => exactText(row.all) },
    { head: "Share", figure: true, cell: (row) => share(row.lost, row.all) },
  ];
  return h("details", {}, h("summary", {}, "The hours as a table"), dataTable({ name: "gpu-hours", caption: "GPU cost that bought nothing, by hour of the day, " + one.label, columns, rows }));
}

/* Between which bounds idle cost lies, where not all of the time was seen. */
function bounds(one, currency) {
  const rows = (rowsOf("gpu_coverage", one) || []).filter((row) => row.billing_currency === currency);
  const low = rows.reduce((sum, row) => sum + units(row.idle_cost_low), 0n);
  const high = rows.reduce((sum, row) => sum + units(row.idle_cost_high), 0n);
  if (!rows.length) return null;
  const range = low === high ? "is " + money(low, currency) + "; nothing that was held went unseen" : "lies between " + money(low, currency) + " (seen to idle) and " + money(high, currency) + " (and all that was held while nobody looked)";
  return h("p", { class: "note" }, "Idle cost of held GPUs " + range + ".");
}
