/* What the file holds: one core of JSON, and for each month parts of columns and of rows, opened when they are needed. */
let core = null;
const words = {};
const opened = new Map();

function fromLetters(letters) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(letters);
  return Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
}

/* The script stands behind the newest months: it draws these while the browser still reads the older ones. */
async function unpacked(id) {
  const isRead = () => document.getElementById(id) && document.getElementById(id).nextElementSibling; // what is last may be half there
  if (!isRead() && document.readyState === "loading") await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
  const stream = new Blob([fromLetters(document.getElementById(id).textContent.trim())]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function openCore() {
  core = JSON.parse(new TextDecoder().decode(await unpacked("core")));
  for (const [name, known] of Object.entries(core.words)) {
    words[name] = {
      values: known.map((pair) => pair[0]),
      labels: known.map((pair) => pair[1]),
      codes: new Map(known.map((pair, code) => [pair[0], code])),
    };
  }
}

/* What is opened is opened once; what could not be read is tried again when it is asked for again. */
function once(id, open) {
  if (!opened.has(id)) opened.set(id, open(id).catch((error) => { opened.delete(id); throw error; }));
  return opened.get(id);
}

/* A part's columns by name: codes as small whole numbers, money as BigInt, each read when it is first asked for. */
function part(name) {
  return once(name, openPart);
}

async function openPart(name) {
  const bytes = await unpacked(name);
  const { rows, columns } = core.parts[name];
  const table = { rows };
  for (const [column, width, offset] of columns) {
    const read = () => (width === 16 ? wholes(bytes, offset, rows) : codes(bytes, offset, rows, width));
    let found = null;
    Object.defineProperty(table, column, { get: () => (found = found || read()) });
  }
  return table;
}

function codes(bytes, offset, rows, width) {
  if (width === 1) return bytes.subarray(offset, offset + rows);
  const found = width === 2 ? new Uint16Array(rows) : new Uint32Array(rows);
  for (let place = 0; place < width; place += 1) {
    const start = offset + place * rows;
    for (let row = 0; row < rows; row += 1) found[row] += bytes[start + row] * 2 ** (8 * place);
  }
  return found;
}

/* Bytes lie by place, lowest first. Most columns fit 64 bits; one that does not is read number by number. */
function wholes(bytes, offset, rows) {
  const low = new Uint8Array(rows * 8);
  for (let place = 0; place < 8; place += 1) {
    const start = offset + place * rows;
    for (let row = 0; row < rows; row += 1) low[row * 8 + place] = bytes[start + row];
  }
  const found = new BigInt64Array(low.buffer);
  if (fits(bytes, offset, rows)) return found;
  const high = new Uint8Array(rows * 8);
  for (let place = 0; place < 8; place += 1) {
    const start = offset + (place + 8) * rows;
    for (let row = 0; row < rows; row += 1) high[row * 8 + place] = bytes[start + row];
  }
  const upper = new BigInt64Array(high.buffer);
  const lower = new BigUint64Array(low.buffer);
  return Array.from({ length: rows }, (_, row) => (upper[row] << 64n) + lower[row]);
}

/* Whether the upper eight places only repeat the sign of the lower ones. */
function fits(bytes, offset, rows) {
  const signs = offset + 7 * rows;
  for (let place = 8; place < 16; place += 1) {
    const start = offset + place * rows;
    for (let row = 0; row < rows; row += 1) {
      if (bytes[start + row] !== (bytes[signs + row] > 127 ? 255 : 0)) return false;
    }
  }
  return true;
}

/* The rows of a small table as objects; null where the snapshot does not have it. */
function rowsOf(name, month) {
  const table = core.tables[name];
  if (!table) return null;
  const rows = objects(table);
  return month ? rows.filter((row) => row.billing_period === month.first) : rows;
}

function objects(table) {
  return table.rows.map((row) => Object.fromEntries(table.columns.map((column, i) => [column, row[i]])));
}

/* A month's rows of a table that is opened by month, as objects; null where the snapshot does not have it. */
function monthRows(name, one) {
  if (!core.by_month.includes(name)) return null;
  return once(name + "-" + one.month, openRows);
}

async function openRows(id) {
  return objects(JSON.parse(new TextDecoder().decode(await unpacked(id))));
}

function label(name, code) {
  return words[name].labels[code] || NOTHING[name] || "(none)";
}

/* What stands where a bill or a log names nothing. */
const NOTHING = {
  unit: "No business unit",
  model: "No model (not a model's tokens)",
  feature: "No feature named",
  product: "No product",
  ledger: "No ledger account",
  cluster: "No cluster named",
  gpu: "GPU model not known",
  bought: "Way of buying not said",
};

function total(column, rows) {
  let sum = 0n;
  for (const row of rows) sum += column[row];
  return sum;
}

function everyRow(table) {
  return Uint32Array.from({ length: table.rows }, (_, row) => row);
}
