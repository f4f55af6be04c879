// Elements. Text goes in as text alone: names of layers may hold anything.

/** @typedef {Node | string | number | null | undefined | false} Child */

/** An element: attributes (on... are listeners), then children. @param {string} tag @param {any} attributes
 *  @param {...(Child | Child[])} children @returns {any} */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "hidden" || name === "open" || name === "value") element[name] = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  fill(element, ...children);
  return element;
}

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);

/** Words in grey. @param {...(Child | Child[])} children */
const faint = (...children) => el("p", { class: "faint" }, ...children);

/** @param {string} words @param {() => void} act @param {any} more */
const button = (words, act, more = {}) => el("button", { ...more, onclick: act }, words);

/** Replaces what is in an element. @param {HTMLElement} element @param {...(Child | Child[])} children */
function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

/** A table that scrolls. @param {string} name @param {Child[]} head cells @param {Child[][]} rows of cells @param {any} more */
const table = (name, head, rows, more = {}) => el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name, ...more },
  el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows.map((cells) => el("tr", {}, cells)))));

/** Python; `colours` are pieces of it: [class, begin, end]. @param {string} text @param {[string, number, number][]} colours */
function python(text, colours = []) {
  const parts = colours.flatMap(([kind, begin, end], i) => [text.slice(i ? colours[i - 1][2] : 0, begin), el("span", { class: kind }, text.slice(begin, end))]);
  return el("pre", { tabindex: 0 }, el("code", {}, parts, text.slice(colours.length ? colours[colours.length - 1][2] : 0)));
}
