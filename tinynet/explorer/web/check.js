// Check this number: how one number was computed, from numbers that can be checked in their turn.

/** @typedef {Place | number} Factor */
/** @typedef {{words: string, factors: Factor[]}} Term  a product of its factors */
/** @typedef {{title: string, terms: Term[], closed?: Term[], best?: boolean, code: () => string}} Part  a sum of terms, or with `best` the largest of them; closed: what a slope of 0 keeps out; code: in Python */
/** @typedef {{formula: string, parts: Part[], steps: [string, Factor][], value: number, size: number, code: () => string[]}} Check
 *  size: what was added on the way, without signs; code: Python, of which the last line is the number */
/** @typedef {{op: Operation, at: number[], place: number, of: (name: string) => Quantity | null, set: any,
 *   out: Quantity[], g: Quantity | null, given: Quantity | null}} Call  what a check is made from */

const NONE = "There is no panel for this operation yet; its code stands beside it.";
// rows of a table
const SHOWN = 400;

/** @param {Quantity} quantity @param {...number} at @returns {Place} */
const spot = (quantity, ...at) => ({ q: quantity.number, at });
/** @param {Factor} factor */
const valueOf = (factor) => (typeof factor === "number" ? factor : quantities[factor.q].get(...factor.at));
/** @param {Term} term */
const product = (term) => term.factors.reduce((all, factor) => all * valueOf(factor), 1);
/** @param {Part} part */
const total = ({ terms, best }) => (best ? Math.max(...terms.map(product)) : terms.reduce((sum, term) => sum + product(term), 0));
/** @param {Part} part @returns {Sized} */
const sizedPart = (part) => [total(part), part.best ? Math.abs(total(part)) : part.terms.reduce((sum, term) => sum + Math.abs(product(term)), 0)];
/** How a quantity is called in Python. @param {Quantity} quantity */
const py = (quantity) => `q["q${quantity.number}"]`;
const listed = (at) => at.join(", ");
/** @param {Factor} factor */
const text = (factor) => (typeof factor === "number" ? String(factor) : `float(${py(quantities[factor.q])}[${listed(factor.at) || "()"}])`);

/** What a name in a formula stands for: an input at the same place, g, y, a setting. @param {Call} call @param {string} name @returns {Factor | undefined} */
function meant({ op, at, set, out, g }, name) {
  const input = op.inputs.find((one) => one.name === name);
  if (name === "g" && g) return spot(g, ...at);
  if (input) return input.q === null ? input.value : repeated(quantities[input.q], at);
  return name === "y" ? spot(out[0], ...at) : set[name];
}

/** A check by lines of arithmetic, "name = formula", of which the last is the number; nothing if a name means no number.
 *  @param {Call} call @param {string} formula in words @param {Record<string, Factor>} given beside what `meant` finds
 *  @param {string[]} lines @param {Record<string, Part>} parts sums, by their names in the lines @param {string[]} code Python that comes before
 *  @returns {Check | null} */
function worked(call, formula, given, lines, parts = {}, code = []) {
  /** @type {Record<string, Sized>} */
  const names = {};
  /** @type {[string, Factor][]} */
  const steps = [];
  const { wanted, made } = programOf(lines);
  for (const [name, part] of Object.entries(parts)) {
    names[name] = sizedPart(part);
    steps.push([name, names[name][0]]);
  }
  const before = wanted.filter((name) => !(name in parts)).map((name) => [name, name in given ? given[name] : meant(call, name)]);
  for (const [name, factor] of before) {
    if (typeof factor !== "number" && !(factor && "q" in factor)) return null;
    names[name] = sizedNumber(valueOf(factor));
    steps.push([name, factor]);
  }
  let last;
  for (const { line, name, act, plain } of made) {
    last = act(names);
    if (name) names[name] = last;
    if (!plain) steps.push([line, last[0]]);
  }
  const python = () => [...code, ...Object.entries(parts).map(([name, part]) => `${name} = ${part.code()}`), ...before.map(([name, factor]) => `${name} = ${text(factor)}`), ...lines];
  return { formula, parts: Object.values(parts), steps, value: last[0], size: last[1], code: python };
}

/** How an operation's numbers are made, in one of the tables. @param {string} phase @param {Call} call @returns {Check | null} */
function madeBy(phase, call) {
  const { op: { name, formulas, lines }, place, g, given } = call;
  const own = { forward: FORWARD, backward: BACKWARD, update: {} }[phase][name];
  if (own) return own(call);
  const formula = formulas[phase === "backward" ? place + 1 : place];
  // it was summed where it had been repeated
  if (!formula || (g && listed(given.shape) !== listed(g.shape))) return null;
  const made = { forward: "y", backward: "gradient", update: place ? "slot" : "w" }[phase];
  return worked(call, `${made} ${phase === "update" ? "←" : "="} ${formula}`, {}, [...lines, formula]);
}

/** @param {string} phase @param {Operation} op @param {number[]} at @param {number} place @returns {Call} */
function callOf(phase, op, at, place) {
  const back = phase === "backward";
  const g = back && op.rule.upstream[0] !== null ? quantities[op.rule.upstream[0]] : null;
  return { op, at, place, of: (name) => inputOf(op, name), set: op.settings, out: op.outputs.map((one) => quantities[one]), g, given: back ? quantities[op.inputs[place].q] : null };
}

/** Whether this page computed it, for an image that is drawn. @param {Quantity} quantity */
const isDrawn = ({ by }) => by !== null && by[0] === "predicted";

/** How the number at a place was computed; words, where that cannot be told. @param {Place} place @returns {Check | string} */
function checkOf({ q, at }) {
  const quantity = quantities[q];
  if (!quantity.data) return "Its numbers are not in this file.";
  if (quantity.approximate) return "It was rounded, so that the file stays small: it cannot be checked.";
  if (quantity.parts.length) {
    const terms = quantity.parts.map((part) => ({ words: quantities[part].name, factors: [spot(quantities[part], ...at)] }));
    const part = { title: "What several operations sent", terms, code: () => terms.map((one) => text(one.factors[0])).join(" + ") };
    return { formula: "the sum of the gradients that arrive", parts: [part], steps: [], value: total(part), size: sizedPart(part)[1], code: () => [part.code()] };
  }
  if (quantity.note) return quantity.note;
  if (!quantity.by) return quantity.role === "gradient" ? "The walk back begins here: the derivative of the loss by itself is 1." : "It was there before the step.";
  const [, number, place] = quantity.by;
  const phase = isDrawn(quantity) ? "forward" : quantity.by[0];
  const op = operations[number];
  const call = callOf(phase, op, at, place);
  const needed = [...op.inputs.filter((one) => one.q !== null).map((one) => quantities[one.q]), ...(isDrawn(quantity) ? [] : call.out), ...(call.g ? [call.g] : [])];
  if (needed.some((one) => !one.data || one.approximate)) return "Not all that it was computed from is in this file.";
  return madeBy(phase, call) || NONE;
}

/** How far a sum of float32 may be from that of float64: a hundred thousandth of what is added. @param {Check} check */
const tolerance = ({ value, size }) => 1e-5 * Math.max(Math.abs(value), size) + 1e-12;

/** @param {Check} check @param {string} stored */
function pythonOf(check, stored) {
  const code = check.code();
  const used = Object.keys(FUNCTIONS).filter((name) => code.some((line) => new RegExp(`(?<![\\w.])${name}\\(`).test(line)));
  // the frame of a notebook has the name of the file
  const file = window.name || decodeURIComponent(location.pathname.split("/").pop());
  return [...(used.length ? [`from numpy import ${used.join(", ")}`] : []), "from tinynet import explorer", `index, q = explorer.load(${JSON.stringify(file)})`,
    ...code.slice(0, -1), `print(${code[code.length - 1]}, ${stored})`].join("\n");
}

/** @param {Factor} factor */
const factorCell = (factor) => el("td", {}, typeof factor === "number" ? digits(factor) : numberButton(factor));

/** How many are added, and how many a closed relu kept out. @param {Part} part */
function counted({ terms, best, closed = [] }) {
  if (!closed.length) return `${terms.length} ${best ? "cells" : "terms"}`;
  return `${terms.length} of ${terms.length + closed.length} places; at ${closed.length} ${closed[0].words}`;
}

/** @param {Part} part */
const partHeading = (part) => el("h3", {}, `${part.title}: ${counted(part)}`);

/** @param {Part} part */
function partTable(part) {
  let sum = 0;
  const most = Math.max(...part.terms.slice(0, SHOWN).map((term) => term.factors.length), 1);
  const rows = part.terms.slice(0, SHOWN).map((term) => {
    sum += product(term);
    const cells = Array.from({ length: most }, (_, i) => (i < term.factors.length ? factorCell(term.factors[i]) : el("td")));
    return [el("td", {}, term.words), ...cells, most > 1 && el("td", {}, digits(product(term))), !part.best && el("td", {}, digits(sum))];
  });
  const names = (part.terms[0] || { factors: [] }).factors.map((factor) => (typeof factor === "number" ? "factor" : quantities[factor.q].name));
  const head = ["where", ...names.map((name, i) => (i ? `× ${name}` : name)), ...(most > 1 ? ["product"] : []), ...(part.best ? [] : ["sum so far"])];
  const rest = part.terms.length - rows.length;
  return el("div", {},
    partHeading(part),
    table(part.title, head.map((words) => el("th", { scope: "col" }, words)), rows),
    rest > 0 ? faint(`and ${rest} more, which are in the sum`) : null);
}

/** Terms of several images as one bar each. @param {Part} part */
function imageBars(part) {
  /** @param {Term} term */
  const imageOf = ({ factors }) => (factors.find((factor) => typeof factor !== "number" && quantities[factor.q].batch) || { at: [] }).at[0];
  const images = new Set([...part.terms, ...(part.closed || [])].map(imageOf));
  if (images.has(undefined)) return null;
  const sums = [...images].map((n) => {
    const [terms, closed] = [part.terms, part.closed || []].map((some) => some.filter((one) => imageOf(one) === n));
    return { n, terms, closed, sum: total({ ...part, terms }) };
  });
  if (sums.length < 2) return null;
  const most = Math.max(...sums.map(({ sum }) => Math.abs(sum)), 1e-30);
  const bars = sums.map(({ n, terms, closed, sum }) => {
    const bar = el("span", { class: "bar-cell", "aria-hidden": "true", style: "width:130px" }, el("i", { style: `left:${sum < 0 ? 50 - (50 * -sum) / most : 50}%;width:${(50 * Math.abs(sum)) / most}%` }));
    const details = el("details", { class: "card" }, el("summary", {}, `image ${n}: `, bar, ` ${digits(sum)} `, el("small", {}, counted({ ...part, terms, closed }).split(";")[0])));
    const sorted = terms.sort((a, b) => Math.abs(product(b)) - Math.abs(product(a)));
    details.addEventListener("toggle", () => details.children.length === 1 && details.append(partTable({ ...part, title: `image ${n}, largest first`, terms: sorted, closed })));
    return details;
  });
  return [partHeading(part), ...bars];
}

function drawCheck() {
  const panel = byId("check");
  if (panel.hidden) return;
  const place = shown.number;
  if (!place) return fill(panel, el("p", {}, "Choose a number, in a picture under Values."));
  const quantity = quantities[place.q];
  const back = () => {
    const trail = shown.trail.slice(0, -1);
    checkNumber(shown.trail.at(-1));
    show({ trail });
  };
  const check = checkOf(place);
  const name = `${quantity.name} [${listed(place.at)}]`;
  const heading = el("div", { class: "bar" }, el("h2", {}, `${name} = ${digits(quantity.get(...place.at))}`), shown.trail.length ? button("← back", back) : null);
  const [about, ...made] = quantity.role === "gradient"
    ? [meaningOf(place), gradientButton(quantity.of, place.at, "the number itself"), updateButton(place)]
    : [null, gradientButton(gradientOf(place.q), place.at, "its gradient")];
  if (typeof check === "string") return fill(panel, heading, about, el("p", {}, check), made);
  const stored = quantity.get(...place.at);
  const difference = Math.abs(check.value - stored);
  const same = right(check.value, stored, check.size);
  const words = `${digits(check.value, 10)} in float64; ${isDrawn(quantity) ? "this page" : "tinynet's kernel"}: ${digits(stored, 10)} in ${quantity.dtype}. Difference ${digits(difference, 2)}: ${same ? (difference ? "rounding, in another order ✓" : "the same ✓") : "more than rounding ✗"}`;
  const code = pythonOf(check, text(place));
  const copy = button("Copy as Python", () => navigator.clipboard && navigator.clipboard.writeText(code).then(() => fill(copy, "copied")));
  fill(panel, heading, about, el("p", { class: "formula" }, check.formula),
    about && /\bg\b/.test(check.formula) && faint("g: the gradient that arrives from what comes after (upstream). The chain rule: g times this operation's own slope."),
    check.parts.map((part) => (!part.best && imageBars(part)) || partTable(part)).flat(),
    check.steps.length ? el("table", { class: "steps" }, el("tbody", {}, check.steps.map(([what, factor]) => el("tr", {}, el("td", {}, what), factorCell(factor))))) : null,
    el("p", { class: `verdict${same ? "" : " differs"}` }, words), made,
    isDrawn(quantity) ? null : el("details", { class: "card" }, el("summary", {}, "The same in Python"), python(code), copy));
}

/** What a gradient tells, in a sentence. @param {Place} place */
function meaningOf({ q, at }) {
  const { of } = quantities[q];
  const change = quantities[q].get(...at) / 1000;
  const result = index.kind === "training step" ? "the loss" : "the result";
  const way = of === null || gradientOf(of) === q ? "" : ", as far as it goes this way";
  return el("p", {}, `Raise this number by 0.001, and ${result} changes by about ${change < 0 ? "" : "+"}${digits(change, 3)}${way}.`);
}

/** From a gradient to the weight that it changed. @param {Place} place */
function updateButton({ q, at }) {
  const update = operations.find((op) => op.phase === "update" && op.inputs.some((one) => one.name === "g" && one.q === q));
  return update ? gradientButton(update.outputs[0], at, `${update.name} used it; the new weight`) : null;
}

/** @param {number} q @returns {number | null} */
function gradientOf(q) {
  const all = quantities.filter((one) => one.of === q && one.data);
  const whole = all.find((one) => one.parts.length) || all[0];
  return whole ? whole.number : null;
}

const gradientButton = (q, at, words) => (q === null || !quantities[q].data ? null : el("p", {}, `${words}: `, numberButton({ q, at })));
