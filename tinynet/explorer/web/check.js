// Check this number: how one number was computed, from numbers that can be checked in their turn.

/** @typedef {Place | number} Factor */
/** @typedef {{words: string, factors: Factor[]}} Term  a product of its factors */
/** @typedef {{title: string, terms: Term[], best?: boolean}} Part  a sum of terms, or with `best` the largest of them */
/** @typedef {{formula: string, parts: Part[], steps: [string, Factor][], value: number, code: string[], scale?: number}} Check  scale: what was added on the way, without signs */
/** @typedef {{op: Operation, at: number[], place: number, of: (name: string) => Quantity | null, set: any,
 *   out: Quantity[], g: Quantity | null, given: Quantity | null}} Call  what a check is made from */

const NONE = "There is no panel for this operation yet; its code stands beside it.";
const SHOWN = 400; // rows of a table

/** @param {Quantity} quantity @param {...number} at @returns {Place} */
const spot = (quantity, ...at) => ({ q: quantity.number, at });
/** @param {Factor} factor */
const valueOf = (factor) => (typeof factor === "number" ? factor : quantities[factor.q].get(...factor.at));
/** @param {Term} term */
const product = (term) => term.factors.reduce((sum, factor) => sum * valueOf(factor), 1);
/** @param {Part} part */
const total = ({ terms, best }) => (best ? Math.max(...terms.map(product)) : terms.reduce((sum, term) => sum + product(term), 0));
/** @param {...number} numbers */
const magnitude = (...numbers) => numbers.reduce((sum, one) => sum + Math.abs(one), 0);
/** How a quantity is called in Python. @param {Quantity} quantity */
const py = (quantity) => `q["q${quantity.number}"]`;
const listed = (at) => at.join(", ");
/** @param {Factor} factor */
const text = (factor) => (typeof factor === "number" ? String(factor) : `${py(quantities[factor.q])}[${listed(factor.at) || "()"}]`);
/** All places of a shape. @param {number[]} shape @returns {number[][]} */
const placesOf = (shape) => shape.reduce((all, size) => all.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])), [[]]);

/** How the number at a place was computed; words, where that cannot be told. @param {Place} place @returns {Check | string} */
function checkOf({ q, at }) {
  const quantity = quantities[q];
  if (!quantity.data) return "Its numbers are not in this file.";
  if (quantity.approximate) return "It was rounded, so that the file stays small: it cannot be checked.";
  if (quantity.parts.length) {
    const terms = quantity.parts.map((part) => ({ words: quantities[part].name, factors: [spot(quantities[part], ...at)] }));
    const parts = [{ title: "What several operations sent", terms }];
    return { formula: "the sum of the gradients that arrive", parts, steps: [], value: total(parts[0]), code: [parts[0].terms.map((one) => text(one.factors[0])).join(" + ")] };
  }
  if (quantity.note) return quantity.note;
  if (!quantity.by) return quantity.role === "gradient" ? "The walk back begins here: the derivative of the loss by itself is 1." : "It was there before the step.";
  const [phase, number, which] = quantity.by;
  const op = operations[number];
  const out = op.outputs.map((one) => quantities[one]);
  const table = { forward: FORWARD, backward: BACKWARD, update: UPDATE }[phase];
  const make = table[op.name];
  const upstream = phase === "backward" ? op.rule.upstream[0] : null;
  const g = upstream === null ? null : quantities[upstream];
  const needed = [...op.inputs.map((one) => one.q), ...op.outputs, upstream].filter((one) => one !== null).map((one) => quantities[one]);
  if (!make) return NONE;
  if (needed.some((one) => !one.data || one.approximate)) return "Not all that it was computed from is in this file.";
  return make({ op, at, place: which, of: (name) => inputOf(op, name), set: op.settings, out, g, given: phase === "backward" ? quantities[op.inputs[which].q] : null }) || NONE;
}

/** How far a sum of float32 may be from that of float64: a hundred thousandth of what is added. @param {Check} check */
function tolerance(check) {
  const sizes = check.parts.filter((part) => !part.best).flatMap((part) => part.terms.map(product));
  return 1e-5 * Math.max(Math.abs(check.value), Math.abs(check.scale || 0), magnitude(...sizes)) + 1e-12;
}

/** @param {Check} check @param {string} stored */
const pythonOf = (check, stored) => ["import numpy as np", "from tinynet import explorer", `index, q = explorer.load(${JSON.stringify(decodeURIComponent(location.pathname.split("/").pop()) || "step.html")})`,
  ...check.code.slice(0, -1), `print(${check.code[check.code.length - 1]}, ${stored})`].join("\n");

/** @param {Factor} factor */
const factorCell = (factor) => el("td", {}, typeof factor === "number" ? digits(factor) : numberButton(factor));

/** @param {Part} part */
function partTable(part) {
  let sum = 0;
  const most = Math.max(...part.terms.slice(0, SHOWN).map((term) => term.factors.length), 1);
  const rows = part.terms.slice(0, SHOWN).map((term) => {
    sum += product(term);
    const cells = Array.from({ length: most }, (_, i) => (i < term.factors.length ? factorCell(term.factors[i]) : el("td")));
    return el("tr", {}, el("td", {}, term.words), cells, most > 1 ? el("td", {}, digits(product(term))) : null, part.best ? null : el("td", {}, digits(sum)));
  });
  const names = (part.terms[0] || { factors: [] }).factors.map((factor) => (typeof factor === "number" ? "factor" : quantities[factor.q].name));
  const head = ["where", ...names.map((name, i) => (i ? `× ${name}` : name)), most > 1 ? "product" : null, part.best ? null : "sum so far"].filter((one) => one !== null);
  const rest = part.terms.length - rows.length;
  return el("div", {},
    el("h3", {}, `${part.title}: ${part.terms.length} ${part.best ? "cells" : "terms"}`),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": part.title },
      el("table", {}, el("thead", {}, el("tr", {}, head.map((words) => el("th", { scope: "col" }, words)))), el("tbody", {}, rows))),
    rest > 0 ? faint(`and ${rest} more, which are in the sum`) : null);
}

/** Terms of several images as one bar each. @param {Part} part */
function imageBars(part) {
  const images = new Map();
  for (const term of part.terms) {
    const found = term.factors.find((factor) => typeof factor !== "number" && quantities[factor.q].batch);
    if (!found) return null;
    images.set(found.at[0], [...(images.get(found.at[0]) || []), term]);
  }
  if (images.size < 2) return null;
  const sums = [...images].map(([n, terms]) => ({ n, terms, sum: total({ title: "", terms }) }));
  const most = Math.max(...sums.map(({ sum }) => Math.abs(sum)), 1e-30);
  return sums.map(({ n, terms, sum }) => {
    const bar = el("span", { class: "bar-cell", "aria-hidden": "true", style: "display:inline-block;width:130px;height:12px" }, el("i", { style: `left:${sum < 0 ? 50 - (50 * -sum) / most : 50}%;width:${(50 * Math.abs(sum)) / most}%` }));
    const details = el("details", { class: "card" }, el("summary", {}, `image ${n}: `, bar, ` ${digits(sum)} `, el("small", {}, `${terms.length} terms`)));
    const sorted = terms.sort((a, b) => Math.abs(product(b)) - Math.abs(product(a)));
    details.addEventListener("toggle", () => details.children.length === 1 && details.append(partTable({ title: `image ${n}, largest first`, terms: sorted })));
    return details;
  });
}

function drawCheck() {
  const panel = byId("check");
  if (panel.hidden) return;
  const place = shown.number;
  if (!place) return fill(panel, el("p", {}, "Choose a number: in a picture under Values, or in a table here."));
  const quantity = quantities[place.q];
  const back = () => {
    const trail = [...shown.trail];
    const last = trail.pop();
    show({ number: null, trail });
    checkNumber(last);
    shown.trail = trail;
  };
  const check = checkOf(place);
  const name = `${quantity.name} [${listed(place.at)}]`;
  const heading = el("div", { class: "bar" }, el("h2", {}, `${name} = ${digits(quantity.get(...place.at))}`), shown.trail.length ? button("← back", back) : null);
  const made = quantity.role === "gradient" ? gradientButton(quantity.of, place.at, "its value") : gradientButton(gradientOf(place.q), place.at, "its gradient");
  if (typeof check === "string") return fill(panel, heading, el("p", {}, check), made);
  const stored = quantity.get(...place.at);
  const difference = Math.abs(check.value - stored);
  const right = difference <= tolerance(check) || Object.is(check.value, stored);
  const words = `${digits(check.value, 10)} in float64; tinynet's kernel: ${digits(stored, 10)} in ${quantity.dtype}. Difference ${digits(difference, 2)}: ${right ? (difference ? "rounding, in another order ✓" : "the same ✓") : "more than rounding ✗"}`;
  const code = pythonOf(check, text(place));
  const copy = button("Copy as Python", () => navigator.clipboard && navigator.clipboard.writeText(code).then(() => fill(copy, "copied")));
  fill(panel, heading, el("p", { class: "formula" }, check.formula),
    check.parts.map((part) => (!part.best && imageBars(part)) || partTable(part)).flat(),
    check.steps.length ? el("table", { class: "steps" }, el("tbody", {}, check.steps.map(([what, factor]) => el("tr", {}, el("td", {}, what), factorCell(factor))))) : null,
    el("p", { class: `verdict${right ? "" : " differs"}` }, words), made, el("details", { class: "card" }, el("summary", {}, "The same in Python"), python(code), copy));
}

/** @param {number} q @returns {number | null} */
function gradientOf(q) {
  const all = quantities.filter((one) => one.of === q && one.data);
  return all.length ? (all.find((one) => one.parts.length) || all[0]).number : null;
}

const gradientButton = (q, at, words) => (q === null || !quantities[q].data ? null : el("p", {}, `${words}: `, numberButton({ q, at })));
