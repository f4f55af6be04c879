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

const KEYWORDS = new Set(
  ("and as assert async await break class continue def del elif else except finally for from global if import in is " +
    "lambda None nonlocal not or pass raise return True False try while with yield").split(" "),
);
const TOKENS = /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(#[^\n]*)|(@[\w.]+)|([A-Za-z_]\w*)|([\s\S])/g;

/** Python as coloured text. @param {string} text */
function python(text) {
  const parts = [];
  for (const [whole, string, comment, decorator, word] of text.matchAll(TOKENS)) {
    const kind = string ? "s" : comment ? "c" : decorator ? "d" : word && KEYWORDS.has(word) ? "k" : "";
    const last = parts[parts.length - 1];
    if (kind) parts.push(el("span", { class: kind }, whole));
    else if (typeof last === "string") parts[parts.length - 1] = last + whole;
    else parts.push(whole);
  }
  return el("pre", { tabindex: 0 }, el("code", {}, parts));
}
