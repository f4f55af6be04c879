// Forward, number by number: a function for each operation that no line of FORMULAS says.

/** @param {string} words @param {...Factor} factors @returns {Term} */
const term = (words, ...factors) => ({ words, factors });
const upTo = (n) => Array.from({ length: n }, (_, i) => i);

/** All places that take a number of each list. @param {number[][]} lists @returns {number[][]} */
const grid = (lists) => lists.reduce((all, list) => all.flatMap((at) => list.map((i) => [...at, i])), [[]]);
/** All places of a shape. @param {number[]} shape */
const placesOf = (shape) => grid(shape.map(upTo));

/** Places that make up a grid, as an index of Python. @param {number[][]} places */
function cut(places) {
  const along = places[0].map((_, axis) => [...new Set(places.map((at) => at[axis]))]);
  const words = along.map(([first, second, ...more]) => {
    if (second === undefined) return first;
    const step = second - first;
    const end = (more.length ? more[more.length - 1] : second) + Math.sign(step);
    return `${first}:${end < 0 ? "" : end}${step === 1 ? "" : `:${step}`}`;
  });
  return words.join(", ") || "()";
}

/** In Python. @param {Quantity} x @param {number[][]} places */
const sliced = (x, places) => `${py(x)}[${cut(places)}]`;

/** Numbers of a quantity, added up, or with `best` the largest of them. @param {string} title @param {Quantity} x
 *  @param {number[][]} places @param {boolean} [best] @returns {Part} */
function partOf(title, x, places, best) {
  const terms = places.map((at) => term(listed(at), spot(x, ...at)));
  return { title, terms, best, code: () => `${sliced(x, places)}.${best ? "max" : "sum"}()` };
}

/** Where in x a number of y comes from that was repeated along axes. @param {Quantity} x @param {number[]} at */
const repeated = (x, at) => spot(x, ...x.shape.map((size, axis) => (size === 1 ? 0 : at[at.length - x.shape.length + axis])));

/** The places of x along `axes`, and elsewhere as in `at`. @param {Quantity} x @param {number[]} axes @param {number[]} at */
const members = (x, axes, at) => grid(x.shape.map((size, axis) => (axes.includes(axis) ? upTo(size) : [at[at.length - x.shape.length + axis]])));

/** Along an axis of a window's operation: [output, tap, pixel], of all that lie inside those that are `wanted`.
 *  @param {any} set @param {number} axis @param {number[]} sizes of output, window, image @param {(number | null)[]} wanted */
function windows(set, axis, [outputs, kernel, size], wanted) {
  const step = set.dilation ? set.dilation[axis] : 1;
  const some = (n, i) => (wanted[i] === null ? upTo(n) : [wanted[i]]);
  return grid([some(outputs, 0), some(kernel, 1)]).map(([o, k]) => [o, k, o * set.strides[axis] - set.padding[axis][0] + k * step])
    .filter(([, , pixel]) => (wanted[2] === null ? pixel >= 0 && pixel < size : pixel === wanted[2]));
}

/** All that a dense layer or convolution multiplies where one of y, x, w is at a place: the places of all three. Pooling is like a
 *  convolution of each channel by itself.  @param {Call} call @param {"y" | "x" | "w"} which @param {number[]} at @returns {{y: number[], x: number[], w: number[], words: string}[]} */
function meetings({ op, of, set, out }, which, at) {
  const [y, x] = [out[0].shape, of("x").shape];
  const w = set.pool_size ? [...set.pool_size, 1, x[3]] : of("w").shape;
  const images = which === "w" ? upTo(x[0]) : [at[0]];
  if (op.name === "dense") {
    const inputs = which === "y" ? upTo(w[0]) : [at[which === "x" ? 1 : 0]];
    const units = which === "x" ? upTo(w[1]) : [at[1]];
    const words = { y: (n, k) => `input ${k}`, x: (n, k, m) => `unit ${m}`, w: (n) => `image ${n}` }[which];
    return grid([images, inputs, units]).map(([n, k, m]) => ({ y: [n, m], x: [n, k], w: [k, m], words: words(n, k, m) }));
  }
  // channels that a filter sees, and filters that see the same ones
  const [each, group] = [w[2], w[3] / (set.pool_size ? x[3] : set.groups)];
  const along = (axis) => windows(set, axis, [y[axis + 1], w[axis], x[axis + 1]], ["y", "w", "x"].map((one) => (one === which ? at[one === "w" ? axis : axis + 1] : null)));
  const first = which === "x" ? Math.floor(at[3] / each) * group : 0;
  const filters = which === "x" ? upTo(group).map((f) => first + f) : [at[3]];
  const channels = which === "y" ? upTo(each) : [which === "x" ? at[3] % each : at[2]];
  return grid([images, along(0), along(1), filters, channels]).map(([n, [oy, i, row], [ox, j, column], f, c]) => {
    const channel = Math.floor(f / group) * each + c;
    const words = { y: `${row}, ${column}, channel ${channel}`, x: `y ${oy}, ${ox}, filter ${f}`, w: `pixel ${row}, ${column}: y ${oy}, ${ox}` }[which];
    return { y: [n, oy, ox, f], x: [n, row, column, channel], w: [i, j, c, f], words };
  });
}

/** @param {Call} call */
function linear(call) {
  const { op, of, at } = call;
  if (!op.formulas.length) return null;
  const [x, w, b] = [of("x"), of("w"), of("b")];
  const met = meetings(call, "y", at);
  const terms = met.map((one) => term(one.words, spot(x, ...one.x), spot(w, ...one.w)));
  const part = { title: "Inputs × weights", terms, code: () => `(${sliced(x, met.map((one) => one.x))} * ${sliced(w, met.map((one) => one.w))}).sum()` };
  const [sum, y] = [b ? "total + b" : "total", op.formulas[0].replace(/\bx\b/g, "z")];
  return worked(call, `y = ${y}, z = Σ x w${b ? " + b" : ""}`, b ? { b: spot(b, at.at(-1)) } : {}, [`z = ${sum}`, y], { total: part });
}

/** @param {Call} call */
function largestOf(call) {
  const [x, met, [, across]] = [call.of("x"), meetings(call, "y", call.at), call.set.pool_size];
  const part = partOf("The window; its largest cell wins, of equal ones the first", x, met.map((one) => one.x), true);
  if (call.place === 0) return worked(call, "y = the largest of the window", {}, ["largest"], { largest: part });
  const [i, j] = (met.find((one) => x.get(...one.x) === total(part)) || met[0]).w;
  return worked(call, "the number of the cell that won, row by row", { row: i, column: j, width: across }, ["row * width + column"], { largest: part });
}

/** The axes over which an operation normalises. @param {Call} call */
const normalisedAxes = ({ op, of, set }) => (op.name === "standardise" ? set.axes : upTo(of("x").shape.length - 1));

/** Mean and variance: inputs, or outputs of the operation. @param {Call} call */
const moments = ({ of, out }) => (out.length > 1 ? { mean: out[1], variance: out[2] } : { mean: of("mean"), variance: of("var") });

/** Batch and layer norm: y, or a mean, or a variance. @param {Call} call */
function normalised(call) {
  const { of, at, place } = call;
  const [x, { mean, variance }] = [of("x"), moments(call)];
  if (place === 0)
    return worked(call, "y = gamma (x − mean) / √(var + epsilon) + beta", { mean: repeated(mean, at), var: repeated(variance, at) },
      ["root = sqrt(var + epsilon)", "xhat = (x - mean) / root", "gamma * xhat + beta"]);
  if (call.set.centred === false && place === 1) return null;
  const places = members(x, normalisedAxes(call), at);
  const part = partOf("x, over all that are normalised together", x, places);
  if (place === 2) {
    const middle = valueOf(repeated(mean, at));
    part.title = "(x − mean)², over the same";
    part.terms.forEach((one) => (one.factors = Array(2).fill(valueOf(one.factors[0]) - middle)));
    part.code = () => `((${sliced(x, places)} - ${text(repeated(mean, at))}) ** 2).sum()`;
  }
  return worked(call, place === 1 ? "mean = Σ x / count" : "variance = Σ (x − mean)² / count", { count: places.length }, ["total / count"], { total: part });
}

/** Dropout: bit n mod 16 of a word says whether an element was kept. @param {Call} call @param {Quantity} x */
function dropped(call, x, formula) {
  const { set, at, out } = call;
  if (set.noise_shape || set.rate >= 1) return null;
  const word = spot(out[1], at[0] >> 4, at.slice(1).reduce((sum, i, axis) => sum + i * x.strides[axis + 1], 0));
  const name = x === call.g ? "g" : "x";
  return worked(call, `${formula}; kept is 1 or 0: bit ${at[0] % 16} of a word of the mask`, { [name]: spot(x, ...at), word, bit: at[0] % 16 }, ["kept = word // 2 ** bit % 2", `${name} * kept / (1 - rate)`]);
}

/** What softmax divides by, for row n. @param {Quantity} z @param {number} n */
function exponentials(z, n) {
  const row = upTo(z.shape[1]).map((k) => z.get(n, k));
  const most = row.indexOf(Math.max(...row));
  const terms = row.map((x, k) => term(`class ${k}: exp(${digits(x)} ${row[most] < 0 ? "+" : "−"} ${digits(Math.abs(row[most]))})`, Math.exp(x - row[most])));
  return { most: spot(z, n, most), part: { title: "exp(z − largest z)", terms, code: () => `exp(${py(z)}[${n}] - ${py(z)}[${n}].max()).sum()` } };
}

/** @param {Call} call @param {Quantity} z @param {number} n @param {number} c */
function softmax(call, z, n, c) {
  const { most, part } = exponentials(z, n);
  return worked(call, "p = exp(z) / Σ exp(z)", { z: spot(z, n, c), largest: most }, ["exp(z - largest) / total"], { total: part });
}

/** − log p of the label, or − Σ t log p for a row of targets. @param {Call} call */
function crossEntropy(call) {
  const { of, at: [n], set, out } = call;
  const [z, t] = [of("z"), of("t")];
  if (t.shape.length === 1) {
    const { most, part } = exponentials(z, n);
    const clipped = set.clip ? "minimum(maximum(p, epsilon), 1 - epsilon)" : "p";
    return worked(call, "loss = − log p[label]", { label: spot(t, n), z: spot(z, n, t.get(n)), largest: most }, ["p = exp(z - largest) / total", `-log(${clipped})`], { total: part });
  }
  const [p, [low, high]] = [out[1], set.clip ? [set.epsilon, 1 - set.epsilon] : [0, 1]];
  const terms = upTo(z.shape[1]).filter((c) => t.get(n, c) !== 0).map((c) => term(`class ${c}: t log p`, spot(t, n, c), Math.log(Math.min(Math.max(p.get(n, c), low), high))));
  const code = () => `(${py(t)}[${n}] * log(${py(p)}[${n}].clip(${low}, ${high}) + (${py(t)}[${n}] == 0))).sum()`;
  const loss = worked(call, "loss = − Σ t log p", {}, ["-total"], { total: { title: "Classes", terms, code } });
  // the logarithm of a p near 1 is as wrong as p itself
  return { ...loss, size: loss.size + 1 };
}

/** The same number elsewhere. @param {Call} call @param {Place} there */
const copied = (call, there, words = "the same numbers in another shape") => worked(call, words, { x: there }, ["x"]);

/** From a place in one shape to that in another, in C order. @param {Quantity} from @param {number[]} at @param {Quantity} like */
const moved = (from, at, like) => spot(from, ...from.where(at.reduce((sum, i, axis) => sum + i * like.strides[axis], 0)));

/** The axes of a sum, counted from the front. @param {any} set @param {Quantity} x */
const axesOf = (set, x) => (set.axis === null ? upTo(x.shape.length) : [set.axis].flat().map((axis) => (axis + x.shape.length) % x.shape.length));

/** Where along the axis of a concatenation each input begins. @param {Call} call */
function joints({ op, set }) {
  const sizes = op.inputs.map(({ q }) => quantities[q].shape[set.axis]);
  return sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
}

/** @type {Record<string, (call: Call) => Check | null>} */
const FORWARD = {
  dense: linear, convolution: linear, rectified_convolution: linear, max_pool: largestOf,
  normalise: normalised, normalise_with: normalised, standardise: normalised,
  average_pool: (call) => {
    const places = meetings(call, "y", call.at).map((one) => one.x);
    return worked(call, "y = Σ x / count", { count: places.length }, ["total / count"], { total: partOf("The window", call.of("x"), places) });
  },
  drop: (call) => (call.place ? null : dropped(call, call.of("x"), "y = x × mask / (1 − rate)")),
  normalised_exponential: (call) => (call.of("x").shape.length === 2 && call.set.axis === 1 ? softmax(call, call.of("x"), call.at[0], call.at[1]) : null),
  softmax_crossentropy: (call) => (call.place ? softmax(call, call.of("z"), call.at[0], call.at[1]) : crossEntropy(call)),
  sum: (call) => {
    const [x, axes] = [call.of("x"), axesOf(call.set, call.of("x"))];
    const rest = call.set.keepdims ? call.at.filter((_, axis) => !axes.includes(axis)) : [...call.at];
    const at = x.shape.map((_, axis) => (axes.includes(axis) ? 0 : rest.shift()));
    return worked(call, "y = Σ x", {}, ["total"], { total: partOf("x", x, members(x, axes, at)) });
  },
  reshape: (call) => copied(call, moved(call.of("x"), call.at, call.out[0])),
  permute: (call) => copied(call, spot(call.of("x"), ...upTo(call.at.length).map((axis) => call.at[call.set.axes.indexOf(axis)]))),
  join: (call) => {
    const { set: { axis }, at, op } = call;
    const begins = joints(call);
    const i = begins.findLastIndex((begin) => begin <= at[axis]);
    return copied(call, spot(quantities[op.inputs[i].q], ...at.with(axis, at[axis] - begins[i])), "one input behind the other");
  },
  look_up: (call) => copied(call, spot(call.of("table"), call.of("ids").get(...call.at.slice(0, -1)), call.at[call.at.length - 1]), "the row of the table"),
};
