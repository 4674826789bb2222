/* The page: its sections, in the order in which they are read, and what draws each. */
const SECTIONS = [
  ["spend", "Spend", "Spend", drawSpend],
  ["lines", "Lines", "The lines behind it", drawLines],
  ["why", "Why", "Why it moved", drawWhy],
  ["ledgers", "Ledgers", "Does it add up", drawLedgers],
  ["gpus", "GPUs", "GPUs", drawGpus],
  ["commitments", "Commitments", "Commitments", drawCommitments],
  ["savings", "Savings", "What it could have cost less", drawSavings],
  ["own", "Own GPUs", "Own GPUs or an API", drawOwn],
  ["outlook", "Budgets", "Budgets and forecast", drawOutlook],
  ["outcomes", "Outcomes", "What it bought", drawOutcomes],
  ["anomalies", "Anomalies", "What was unusual", drawAnomalies],
  ["changes", "Changes", "What changed later", drawChanges],
  ["arrived", "Sources", "What has arrived", drawArrived],
];

async function drawAll() {
  drawHead(document.getElementById("head"));
  await drawTotal(document.getElementById("sum"));
  for (const [id, , , draw] of SECTIONS) await draw(document.getElementById(id + "-body"));
  document.title = core.company + ": AI cost board, " + month().label;
  document.getElementById("board").setAttribute("data-drawn", address().toString());
  performance.mark("drawn");
}

function build() {
  const main = document.getElementById("board");
  const nav = h("nav", { "aria-label": "Sections" }, SECTIONS.map(([id, text]) => h("a", { href: "#" + id, onclick: (event) => jump(event, id) }, text)));
  const exact = h("label", { class: "exact" }, h("input", { type: "checkbox", id: "exact", checked: view.exact, onchange: (event) => go({ exact: event.target.checked }) }), "Exact amounts");
  const sections = SECTIONS.map(([id, , title]) => {
    const made = section(id, title);
    made.body.id = id + "-body";
    return made.element;
  });
  const foot = h("footer", {}, h("p", { class: "note" }, "Snapshot " + core.snapshot + ", configuration " + core.configuration + ". This file loads nothing and sends nothing. Questions about these figures: " + (core.contact || "whoever runs Farthing at " + core.company) + "."));
  main.replaceChildren(h("header", { id: "head" }), h("div", { id: "sum" }), h("div", { class: "bar-nav" }, nav, exact), ...sections, foot);
  const tip = h("div", { id: "tip", class: "tip", hidden: true, "aria-hidden": "true" });
  watchHints(tip);
  document.body.append(
    tip,
    h("p", { id: "said", class: "unseen", "aria-live": "polite" }),
    s("svg", { class: "unseen", width: 0, height: 0, "aria-hidden": "true" }, s("defs", {}, s("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("rect", { class: "hatch-line", x: 0, y: 0, width: 1.5, height: 6 })))),
  );
}

/* The address keeps the view, so a jump to a section must not take its place. */
function jump(event, id) {
  event.preventDefault();
  const title = document.getElementById(id + "-title");
  title.scrollIntoView();
  title.focus({ preventScroll: true });
}

function onResize() {
  let waiting = null;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
  addEventListener("hashchange", () => {
    readAddress();
    keepAddress();
    drawAll();
  });
}

async function start() {
  await openCore();
  readAddress();
  keepAddress();
  build();
  await drawAll();
  onResize();
}

start().catch((error) => {
  const waiting = document.getElementById("waiting") || document.getElementById("board");
  waiting.textContent = "This page could not be drawn: " + error.message + ". Render it again, or open it in a newer browser.";
  throw error;
});
