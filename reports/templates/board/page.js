/* Elements, made of text and never of markup: no name from a bill can be more than words on this page. */
const SVG = "http://www.w3.org/2000/svg";

function put(element, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "checked" || name === "value" || name === "selected") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

function h(tag, properties, ...children) {
  return put(document.createElement(tag), properties, children);
}

function s(tag, properties, ...children) {
  return put(document.createElementNS(SVG, tag), properties, children);
}

function section(id, title, lead) {
  const body = h("div", {});
  const element = h("section", { id, "aria-labelledby": id + "-title" }, h("h2", { id: id + "-title", tabindex: -1 }, title));
  if (lead) element.append(h("p", { class: "lead" }, lead));
  element.append(body);
  return { element, body };
}

/* One choice of a few: radio buttons, so that arrow keys work as everywhere. */
function choice(name, legend, options, chosen, pick) {
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", {}, legend),
    options.map(([value, text]) =>
      h(
        "label",
        { class: value === chosen ? "chosen" : null },
        h("input", {
          type: "radio",
          name,
          value,
          checked: value === chosen,
          "data-focus": name + "=" + value,
          onchange: () => pick(value),
        }),
        text,
      ),
    ),
  );
}

function button(text, pick, more) {
  return h("button", { type: "button", onclick: pick, ...(more || {}) }, text);
}

/* Replaces what an element shows; whoever had the keyboard there keeps it. */
function show(host, ...children) {
  const active = document.activeElement;
  const key = active && host.contains(active) ? active.getAttribute("data-focus") : null;
  host.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  if (key === null) return;
  const again = Array.from(host.querySelectorAll("[data-focus]")).find((x) => x.getAttribute("data-focus") === key);
  if (again) again.focus({ preventScroll: true });
}

function say(text) {
  document.getElementById("said").textContent = text;
}

const MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/* "2026-10-14" -> "14 Oct"; with the year where it is asked for. */
function dayText(day, withYear) {
  if (!day) return NONE;
  const [year, month, date] = day.slice(0, 10).split("-");
  return Number(date) + " " + MONTH_NAMES[Number(month) - 1] + (withYear ? " " + year : "");
}

function monthText(day) {
  const [year, month] = day.split("-");
  return MONTH_NAMES[Number(month) - 1] + " " + year;
}

function daysBetween(from, to) {
  return Math.round((Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / 86400000);
}

function dayAfter(day, days) {
  return new Date(Date.parse(day) + days * 86400000).toISOString().slice(0, 10);
}

function plural(number, one, many) {
  return count(number) + " " + (number === 1 ? one : many);
}
