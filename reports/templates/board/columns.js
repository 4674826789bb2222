/* Stacked columns from zero up (and down, for credits), drawn at the width that there is. */
const EDGE = { left: 52, right: 4, top: 10, bottom: 24 };
const WIDEST = 56;

/*
 * columns: [{ key, text, tick, missing, parts: [{ series, value, open }] }], values whole units of `currency`
 * series:  [{ key, text, paint }]; pick(column key, series key or null); picked: { column, series }
 */
function columnChart({ name, caption, columns, series, currency, height, width, picked, pick }) {
  const inner = { width: Math.max(120, width - EDGE.left - EDGE.right), height: height - EDGE.top - EDGE.bottom };
  const range = valueRange(columns);
  const y = (value) => EDGE.top + ((range.most - value) / (range.most - range.least)) * inner.height;
  const band = inner.width / columns.length;
  const thick = Math.min(WIDEST, Math.max(2, band * 0.74));
  const marks = columns.map((column, i) =>
    columnMarks({ name, column, series, currency, y, height, picked, x: EDGE.left + i * band, band, thick, at: i, end: columns.length }),
  );
  const svg = s(
    "svg",
    { class: "chart", width, height, viewBox: "0 0 " + width + " " + height, role: "group", "aria-label": caption },
    range.ticks.map((tick) => [
      s("line", { class: tick === 0 ? "zero" : "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick) }),
      s("text", { class: "tick", x: EDGE.left - 8, y: y(tick) + 4, "text-anchor": "end" }, short(tick, currency)),
    ]),
    marks,
    columns.map((column, i) =>
      column.tick && s("text", { class: "tick", x: EDGE.left + (i + 0.5) * band, y: height - 6, "text-anchor": "middle" }, column.tick),
    ),
  );
  steer(svg, pick);
  return svg;
}

/* Zero is always in it, and the ticks are round. */
function valueRange(columns) {
  let most = 0;
  let least = 0;
  for (const column of columns) {
    const up = column.parts.reduce((sum, part) => sum + (part.value > 0n ? size(part.value) : 0), 0);
    const down = column.parts.reduce((sum, part) => sum + (part.value < 0n ? size(part.value) : 0), 0);
    most = Math.max(most, up);
    least = Math.min(least, down);
  }
  const step = roundStep((most - least) / 4 || 1);
  const top = Math.max(step, Math.ceil(most / step - 1e-9) * step);
  const bottom = Math.floor(least / step + 1e-9) * step;
  const ticks = [];
  for (let tick = Math.round(bottom / step); tick <= Math.round(top / step); tick += 1) ticks.push(tick * step);
  return { most: top, least: bottom, ticks };
}

function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((x) => x * power).find((x) => x >= rough * 0.999) || 10 * power;
}

function columnMarks({ name, column, series, currency, y, height, picked, x, band, thick, at, end }) {
  const sum = column.parts.reduce((all, part) => all + part.value, 0n);
  const isOther = picked && picked.column && picked.column !== column.key;
  const spots = [];
  const spot = (shape, paint, one, value) => {
    const seriesKey = one ? one.key : null;
    const isPicked = picked && picked.column === column.key && (picked.series || null) === seriesKey && (!one || seriesKey !== null);
    const told = column.text + (one && one.text ? ", " + one.text : "") + ": " + money(value, currency) + (column.missing && !one ? ". Not complete: a source has not delivered it" : "");
    const mark = s(shape.d ? "path" : "rect", {
      ...shape,
      class: paint,
      role: "button",
      tabindex: -1,
      "aria-label": told,
      "aria-pressed": String(Boolean(isPicked)),
      "data-focus": name + ":" + column.key + ":" + (one ? (seriesKey === null ? "others" : seriesKey) : ""),
      "data-column": column.key,
      "data-series": seriesKey,
      "data-part": one ? one.paint : "",
      "data-at": at,
    });
    if (at === end - 1 && !one) mark.setAttribute("tabindex", 0);
    hint(mark, [(one && one.text) || "All", column.text, money(value, currency)]);
    spots.push(mark);
  };
  const left = x + (band - thick) / 2;
  const gap = column.missing && s("rect", { class: "gap", x, y: EDGE.top, width: band, height: height - EDGE.top - EDGE.bottom });
  spot({ x, y: EDGE.top, width: band, height: height - EDGE.top - EDGE.bottom }, "hit", null, sum);
  const hatches = [];
  let up = 0;
  let down = 0;
  for (const part of column.parts) {
    if (part.value === 0n) continue;
    const value = size(part.value);
    const from = value > 0 ? up : down;
    if (value > 0) up += value;
    else down += value;
    const shape = { x: left, y: Math.min(y(from), y(from + value)), width: thick, height: Math.abs(y(from) - y(from + value)) };
    const one = series[part.series];
    spot(shape, "segment paint-" + one.paint, one, part.value);
    if (part.open) hatches.push(s("rect", { ...shape, class: "hatch", fill: "url(#hatch)" }));
  }
  return s("g", { class: isOther ? "faint" : null }, gap, spots, hatches);
}

/* One stop for the tab key; arrows go from day to day and through a day, Enter picks, Escape lets go. */
function steer(svg, pick) {
  const spots = Array.from(svg.querySelectorAll("[data-column]"));
  const focus = (mark) => {
    if (!mark) return;
    spots.forEach((one) => one.setAttribute("tabindex", one === mark ? 0 : -1));
    mark.focus();
  };
  const take = (mark) => pick(mark.getAttribute("data-column"), mark.getAttribute("data-series"));
  svg.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-column]");
    if (mark) take(mark);
  });
  svg.addEventListener("keydown", (event) => {
    const mark = event.target.closest("[data-column]");
    if (!mark) return;
    const at = Number(mark.getAttribute("data-at"));
    const same = (index) => {
      const inColumn = spots.filter((one) => Number(one.getAttribute("data-at")) === index);
      return inColumn.find((one) => one.getAttribute("data-part") === mark.getAttribute("data-part")) || inColumn[0];
    };
    const inColumn = spots.filter((one) => Number(one.getAttribute("data-at")) === at);
    const last = Number(spots[spots.length - 1].getAttribute("data-at"));
    const moves = {
      ArrowLeft: () => focus(same(at - 1)),
      ArrowRight: () => focus(same(at + 1)),
      ArrowUp: () => focus(inColumn[inColumn.indexOf(mark) + 1]),
      ArrowDown: () => focus(inColumn[inColumn.indexOf(mark) - 1]),
      Home: () => focus(same(0)),
      End: () => focus(same(last)),
      Enter: () => take(mark),
      " ": () => take(mark),
      Escape: () => pick(null, null),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  });
}

/* The words beside the pointer or the focus; a screen reader has them as the mark's label. */
const hints = new WeakMap();

function hint(mark, lines) {
  hints.set(mark, lines);
}

/* One listener for all marks: there are thousands. */
function watchHints(tip) {
  const follow = (event) => {
    const lines = hints.get(event.target);
    tip.hidden = !lines;
    if (lines) openHint(tip, event.target, lines);
  };
  document.addEventListener("pointerover", follow);
  document.addEventListener("focusin", follow);
  document.addEventListener("focusout", () => (tip.hidden = true));
}

function openHint(tip, mark, lines) {
  tip.replaceChildren(h("strong", {}, lines[0]), h("span", {}, lines[1]), h("span", { class: "amount" }, lines[2]));
  const box = mark.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const x = Math.min(Math.max(8, box.left + box.width / 2 - own.width / 2), innerWidth - own.width - 8);
  const y = box.top - own.height - 8 < 8 ? Math.min(box.bottom + 8, innerHeight - own.height - 8) : box.top - own.height - 8;
  tip.style.left = x + scrollX + "px";
  tip.style.top = y + scrollY + "px";
}

/* A bar of a table's row: parts from zero, or from the middle where some are below it. */
function rowBar(parts, most, least) {
  const span = most - least || 1;
  let up = 0;
  let down = 0;
  const drawn = parts.map(({ value, paint, open }) => {
    const wide = size(value);
    const from = wide > 0 ? up : down;
    if (wide > 0) up += wide;
    else down += wide;
    const shape = stretch(Math.min(from, from + wide), Math.abs(wide), least, span);
    return [s("rect", { ...shape, class: "paint-" + paint }), open && s("rect", { ...shape, fill: "url(#hatch)" })];
  });
  const zero = least < 0 && s("rect", { ...stretch(0, 0, least, span), width: 1, class: "axis" });
  return s("svg", { class: "bar", "aria-hidden": "true" }, drawn, zero);
}

/* In per cent of the room that there is, so that what is drawn in it keeps its proportions. */
function stretch(from, length, least, span) {
  return { x: ((from - least) / span) * 100 + "%", y: 0, width: (length ? Math.max(0.2, (length / span) * 100) : 0) + "%", height: 10 };
}

function key(paint, open) {
  return h("span", { class: "key back-" + paint + (open ? " open" : ""), "aria-hidden": "true" });
}
