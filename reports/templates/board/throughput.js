/* Units of provisioned throughput: how many to hold, by what a month's minutes would have cost, and why not others. */
const NO_UNITS = {
  no_terms: "what a unit serves of the model is not known",
  no_traffic: "units are deployed that the log has no token of",
  short_log: "the log has less than seven days of the month",
  no_token_price: "no token that was paid by itself has a price",
  only_on_units: "units served every token: what one costs by itself is not known",
  no_unit_price: "no list has a price of a unit",
  no_exchange_rate: "the list's currency has no stated rate to US dollars",
  unknown_region: "lists differ by region, and the log does not tell it",
  unknown_units: "the units that are deployed are not known",
  no_saving: "no other number surely saves anything",
  short_history: "fewer than 30 days are known, too few to be bound for months",
  falling_use: "its use falls: not the time to be bound for months",
};

function throughput(rows, one) {
  if (!rows) return sentence("This snapshot holds no advice on units of provisioned throughput.");
  if (!rows.length) return null;
  rows.forEach((row) => Object.assign(row, { low: units(row.saving_p10), mean: units(row.monthly_saving) }));
  const advised = rows.filter((row) => row.advised_units !== null).sort((a, b) => (a.low === b.low ? 0 : a.low < b.low ? 1 : -1));
  const others = rows.filter((row) => row.advised_units === null);
  return [
    h("h3", {}, "Units of provisioned throughput"),
    sentence(advised.length ? plural(new Set(advised.map((row) => row.model_id)).size, "model", "models") + " would have cost less with another number of units. Rows of the same model and region are alternatives: take one." : "No other number of units is advised for any model."),
    advised.length > 0 && unitsTable(advised, one),
    others.length > 0 && h("details", {}, h("summary", {}, plural(others.length, "line", "lines") + " without advice"), noUnitsTable(others, one)),
  ];
}

function unitsWay(row) {
  if (!row.scope) return NONE;
  return [row.scope, row.term_months ? "reserved for " + plural(row.term_months, "month", "months") : "by the hour"].join(", ");
}

function unitsPrice(row) {
  return row.unit_price === null ? null : fine(units(row.unit_price), "USD") + " a unit and hour";
}

function unitsTable(rows, one) {
  const columns = [
    { head: "Model", cell: (row) => named(row.model_id, row.region_id || "region not told"), file: (row) => row.model_id + ", " + row.region_id },
    { head: "Units", cell: (row) => named(unitsWay(row), unitsPrice(row)), file: unitsWay },
    { head: "Deployed", figure: true, cell: (row) => count(row.current_units), file: (row) => row.current_units },
    { head: "Hold", figure: true, cell: (row) => count(row.advised_units), file: (row) => row.advised_units },
    { head: "Spills then", figure: true, cell: (row) => named(percent(row.best_spill_ratio), "now " + percent(row.current_spill_ratio)), file: (row) => row.best_spill_ratio },
    { head: "Saves at least", figure: true, main: true, cell: (row) => named(money(row.low, "USD"), "in this month's days " + money(row.mean, "USD")), file: (row) => row.saving_p10 },
    { head: "Grade", cell: (row) => row.confidence },
  ];
  const note = "From " + plural(rows[0].day_count, "day", "days") + " of the log, as a month of 730 hours, against the units that are deployed, bought in the same way. Saves at least: what nine of ten months drawn from these days reach. Spills: what is paid by the token all the same. Ask with prices of your own: farthing what-if provisioned, which counts a model of all providers and regions together.";
  return dataTable({ name: "throughput", caption: "Units of provisioned throughput to hold, after " + one.label, columns, rows, limit: 8, redraw: drawAll, note });
}

function noUnitsTable(rows, one) {
  const columns = [
    { head: "Model", cell: (row) => named(row.model_id, row.region_id || "region not told"), file: (row) => row.model_id + ", " + row.region_id },
    { head: "Units", cell: (row) => named(unitsWay(row), unitsPrice(row)), file: unitsWay },
    { head: "Why not", cell: (row) => NO_UNITS[row.reason] || row.reason },
    { head: "Deployed", figure: true, cell: (row) => (row.current_units === null ? NONE : count(row.current_units)), file: (row) => row.current_units },
  ];
  return dataTable({ name: "no-throughput", caption: "Models sold as units without advice, " + one.label, columns, rows, limit: 12, redraw: drawAll });
}
