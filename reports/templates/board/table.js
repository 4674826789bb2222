/* Tables: the text twin of every chart, each with its file. */

/* A cell of a file: text that a spreadsheet would run as a formula gets an apostrophe, amounts stay amounts. */
function fileCell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const isNumber = /^-?\d+(\.\d+)?$/.test(text);
  const safe = !isNumber && /^[\s"']*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) ? "'" + text : text;
  return /[",\r\n;]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
}

function fileText(headings, rows) {
  return "\ufeff" + [headings, ...rows].map((row) => row.map(fileCell).join(",")).join("\r\n") + "\r\n";
}

function download(name, headings, rows) {
  const address = URL.createObjectURL(new Blob([fileText(headings, rows)], { type: "text/csv;charset=utf-8" }));
  const link = h("a", { href: address, download: "board-" + view.month + "-" + name + "-snapshot-" + core.snapshot + ".csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  say(plural(rows.length, "row", "rows") + " written to a file");
}

/*
 * columns: [{ head, cell(row) -> text or element, file(row) -> text (else the cell), figure: bool, wide: bool }]
 * `limit` rows are shown until more are asked for; the file always has all of them.
 */
function dataTable({ name, caption, columns, rows, foot, limit, redraw, note }) {
  const most = (view.more[name] || 1) * (limit || Infinity);
  const body = rows.slice(0, most).map((row) =>
    h(
      "tr",
      { class: row.strong ? "strong" : null },
      columns.map((column, i) =>
        h(i ? "td" : "th", { scope: i ? null : "row", class: cellClass(column), "data-head": column.head }, column.cell(row)),
      ),
    ),
  );
  const rest = rows.length - body.length;
  return h(
    "div",
    { class: "table", id: "table-" + name },
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
      h(
        "table",
        { class: columns.some((column) => column.main) ? "figures has-main" : "figures" },
        h("caption", { class: "unseen" }, caption),
        h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: cellClass(column) }, column.head)))),
        h("tbody", {}, body),
        foot && h("tfoot", {}, h("tr", {}, foot.map((cell, i) => h(i ? "td" : "th", { scope: i ? null : "row", class: cellClass(columns[i]), "data-head": columns[i].head }, cell)))),
      ),
    ),
    note && h("p", { class: "note" }, note),
    h(
      "p",
      { class: "under" },
      rest > 0 && button("Show " + count(Math.min(rest, limit * (view.more[name] || 1))) + " more of " + count(rows.length), () => more(name, redraw), { "data-focus": "more-" + name, class: "quiet" }),
      rows.length > 0 && button("Download CSV", () => download(name, columns.map((c) => c.head), rows.map((row) => columns.map((c) => (c.file || c.cell)(row)))), { "data-focus": "csv-" + name, class: "quiet", "aria-label": "Download " + caption + " as CSV" }),
    ),
  );
}

function more(name, redraw) {
  view.more[name] = (view.more[name] || 1) * 2;
  redraw();
}

function cellClass(column) {
  return [column.figure && "figure", column.wide && "wide", column.tight && "tight", column.main && "main"].filter(Boolean).join(" ") || null;
}

/* A name and what it means under it. */
function named(text, note) {
  return [text, note ? h("span", { class: "note under-name" }, note) : null];
}

function sentence(text) {
  return h("p", { class: "lead" }, text);
}
