// Forward, number by number. The Python of a check is NumPy on the arrays q of the page.

// of each activation: y of z, and its slope by y; both in Python too
const CURVES = {
  relu: [(z) => Math.max(z, 0), "max(z, 0)", (y) => Number(y > 0), "(y > 0)"],
  sigmoid: [(z) => 1 / (1 + Math.exp(-z)), "1 / (1 + np.exp(-z))", (y) => y * (1 - y), "y * (1 - y)"],
  tanh: [Math.tanh, "np.tanh(z)", (y) => 1 - y * y, "(1 - y * y)"],
};

/** @param {string} formula @param {Part[]} parts @param {[string, Factor][]} steps @param {number} value @param {...string} code @returns {Check} */
const made = (formula, parts, steps, value, ...code) => ({ formula, parts, steps, value, code });
/** Of steps that may cancel: all that is added. @param {number} scale @param {Check} check */
const sized = (scale, check) => ({ ...check, scale });
/** A sum, and nothing more. @param {string} formula @param {string} title @param {Term[]} terms @param {...string} code */
const summed = (formula, title, terms, ...code) => made(formula, [{ title, terms }], [], total({ title, terms }), ...code);
/** @param {string} words @param {...Factor} factors @returns {Term} */
const term = (words, ...factors) => ({ words, factors });
const upTo = (n) => Array.from({ length: n }, (_, i) => i);

/** Along an axis of a window's operation: [output, tap, pixel], of all that lie inside those that are `wanted`.
 *  @param {any} set @param {number} axis @param {number[]} sizes of output, window, image @param {(number | null)[]} wanted */
function windows(set, axis, [outputs, kernel, size], wanted) {
  const step = set.dilation ? set.dilation[axis] : 1;
  return upTo(outputs).flatMap((o) => upTo(kernel).map((k) => [o, k, o * set.strides[axis] - set.padding[axis][0] + k * step]))
    .filter((one) => one[2] >= 0 && one[2] < size && one.every((n, i) => wanted[i] === null || wanted[i] === n));
}

/** A slice of Python over one of three. @param {number[][]} all @param {number} i */
function slice(all, i) {
  const step = all.length > 1 ? all[1][i] - all[0][i] : 1;
  return all.length ? `${all[0][i]}:${all[all.length - 1][i] + 1}${step > 1 ? `:${step}` : ""}` : "0:0";
}

/** A sum with a bias, and what an activation makes of it. @param {Call} call */
function withBias({ of }, title, terms, f, name, sum, formula) {
  if (name && !CURVES[name]) return null;
  const b = of("b");
  const z = total({ title, terms }) + (b ? b.get(f) : 0);
  const steps = b ? [["+ bias", spot(b, f)], ["z, the sum with it", z]] : [];
  const y = name ? CURVES[name][0](z) : z;
  if (name) steps.push([`${name}(z)`, y]);
  return made(`y = ${name || ""}(${b ? "b + " : ""}Σ ${formula})`, [{ title, terms }], steps, y, `z = ${sum}${b ? ` + ${text(spot(b, f))}` : ""}`, name ? CURVES[name][1] : "z");
}

/** @param {Call} call */
function convolved(call) {
  const { of, set, at: [n, y, x, f], op, out } = call;
  const [image, w] = [of("x"), of("w")];
  const [kh, kw, channels, filters] = w.shape;
  const first = Math.floor((f * set.groups) / filters) * channels;
  const down = windows(set, 0, [out[0].shape[1], kh, image.shape[1]], [y, null, null]);
  const across = windows(set, 1, [out[0].shape[2], kw, image.shape[2]], [x, null, null]);
  const terms = down.flatMap(([, i, row]) => across.flatMap(([, j, column]) => upTo(channels).map((c) =>
    term(`${row}, ${column}, channel ${first + c}`, spot(image, n, row, column, first + c), spot(w, i, j, c, f)))));
  const sum = `(${py(image)}[${n}, ${slice(down, 2)}, ${slice(across, 2)}, ${first}:${first + channels}] * ${py(w)}[${slice(down, 1)}, ${slice(across, 1)}, :, ${f}]).sum()`;
  return withBias(call, "Pixels × weights", terms, f, op.name === "convolution" ? null : "relu", sum, "x[n, pixel, c] w[tap, c, f]");
}

/** The cells of a pooling window, in Python, and how many there could be. @param {Call} call */
function windowOf({ of, set, at: [n, y, x, c], out }) {
  const [image, [ph, pw]] = [of("x"), set.pool_size];
  const [down, across] = [y, x].map((o, axis) => windows(set, axis, [out[0].shape[1 + axis], set.pool_size[axis], image.shape[1 + axis]], [o, null, null]));
  const terms = down.flatMap(([, i, row]) => across.map(([, j, column]) => term(`cell ${i * pw + j}`, spot(image, n, row, column, c))));
  return { terms, code: `${py(image)}[${n}, ${slice(down, 2)}, ${slice(across, 2)}, ${c}]`, whole: terms.length === ph * pw };
}

/** Batch norm: y, or the mean or variance of a channel. @param {Call} call */
function normalised({ of, set, at, place, out }) {
  const [x, gamma, beta] = [of("x"), of("gamma"), of("beta")];
  const [mean, variance] = out.length > 1 ? out.slice(1) : [of("mean"), of("var")];
  const c = at[at.length - 1];
  const middle = mean.get(c);
  if (place === 0) {
    const root = Math.sqrt(variance.get(c) + set.epsilon);
    const xhat = (x.get(...at) - middle) / root;
    const steps = [["x", spot(x, ...at)], ["mean of the channel", spot(mean, c)], ["variance", spot(variance, c)], ["root of variance + epsilon", root],
      ["x̂ = (x − mean) / root", xhat], ["gamma", spot(gamma, c)], ["beta", spot(beta, c)]];
    const scale = magnitude((gamma.get(c) * magnitude(x.get(...at), middle)) / root, beta.get(c));
    return sized(scale, made("y = gamma (x − mean) / √(variance + epsilon) + beta", [], steps, gamma.get(c) * xhat + beta.get(c),
      `xhat = (${text(steps[0][1])} - ${text(spot(mean, c))}) / np.sqrt(${text(spot(variance, c))} + ${set.epsilon})`, `${text(spot(gamma, c))} * xhat + ${text(spot(beta, c))}`));
  }
  const terms = placesOf(x.shape.slice(0, -1)).map((at) => {
    const one = spot(x, ...at, c);
    return term(listed(at), ...(place === 1 ? [one] : [valueOf(one) - middle, valueOf(one) - middle]));
  });
  const part = { title: place === 1 ? "x, over images and pixels" : "(x − mean)²", terms };
  return made(`${place === 1 ? "mean = Σ x" : "variance = Σ (x − mean)²"} / ${terms.length}`, [part], [["the sum", total(part)]], total(part) / terms.length,
    `x = ${py(x)}[..., ${c}].astype(float)`, place === 1 ? "x.mean()" : "x.var()");
}

/** Dropout: bit n mod 16 of a word says whether an element was kept. @param {any} set @param {Quantity} x @param {Quantity} bits @param {number[]} at */
function dropped(set, x, bits, at, formula) {
  if (set.noise_shape || set.rate >= 1) return null;
  const word = spot(bits, at[0] >> 4, at.slice(1).reduce((sum, i, axis) => sum + i * x.strides[axis + 1], 0));
  const kept = (valueOf(word) >> at[0] % 16) & 1;
  const steps = [["before", spot(x, ...at)], [`bit ${at[0] % 16} of the mask's word`, kept], ["1 / (1 − rate)", 1 / (1 - set.rate)]];
  return made(formula, [], steps, (kept * x.get(...at)) / (1 - set.rate), `kept = ${text(word)} >> ${at[0] % 16} & 1`, `${text(spot(x, ...at))} * kept / (1 - ${set.rate})`);
}

/** @param {Quantity} z @param {number} n @param {number} c */
function softmax(z, n, c) {
  const row = upTo(z.shape[1]).map((k) => z.get(n, k));
  const most = Math.max(...row);
  const part = { title: "exp(z − largest z)", terms: row.map((x, k) => term(`class ${k}: exp(${digits(x, 4)} − ${digits(most, 4)})`, Math.exp(x - most))) };
  return made("p = exp(z) / Σ exp(z)", [part], [["z", spot(z, n, c)], ["their sum", total(part)]], Math.exp(row[c] - most) / total(part), `e = np.exp(${py(z)}[${n}] - ${py(z)}[${n}].max())`, `e[${c}] / e.sum()`);
}

/** − Σ t log p for a row of targets. @param {Quantity} z @param {Quantity} t @param {number} n @param {any} set */
function crossEntropyOfRows(z, t, n, set) {
  const [low, high] = set.clip ? [set.epsilon, 1 - set.epsilon] : [0, 1];
  const terms = upTo(z.shape[1]).map((c) => term(`class ${c}: t × − log p`, spot(t, n, c), -Math.log(Math.min(Math.max(softmax(z, n, c).value, low), high))));
  return sized(1, summed("loss = − Σ t log p", "Classes", terms.filter(({ factors }) => valueOf(factors[0]) !== 0), softmax(z, n, 0).code[0], `-(${py(t)}[${n}] * np.log(np.clip(e / e.sum(), ${low}, ${high}) + (${py(t)}[${n}] == 0))).sum()`));
}

/** An operand that may be a number, or repeated along axes. @param {Input} input @param {number[]} at @returns {Factor} */
function operand({ q, value }, at) {
  if (q === null) return value;
  const x = quantities[q];
  return spot(x, ...x.shape.map((size, axis) => (size === 1 ? 0 : at[at.length - x.shape.length + axis])));
}

/** @param {string} sign @param {(a: number, b: number) => number} act */
const binary = (sign, act) => ({ op, at }) => {
  const [a, b] = op.inputs.map((input) => operand(input, at));
  return made(`y = a ${sign} b`, [], [["a", a], ["b", b]], act(valueOf(a), valueOf(b)), `${text(a)} ${sign} ${text(b)}`);
};

/** @param {string} name */
const unary = (name) => ({ of, at }) => {
  const x = spot(of("x"), ...at);
  return made(`y = ${name}(x)`, [], [["x", x]], CURVES[name][0](valueOf(x)), `z = ${text(x)}`, CURVES[name][1]);
};

/** The same number elsewhere. @param {Quantity} from @param {number[]} at @param {Quantity} like */
function moved(from, at, like) {
  const there = spot(from, ...from.where(at.reduce((sum, i, axis) => sum + i * like.strides[axis], 0)));
  return made("the same numbers in another shape", [], [["the same number", there]], valueOf(there), text(there));
}

/** The axes of a sum, counted from the front. @param {any} set @param {Quantity} x */
const axesOf = (set, x) => (set.axis === null ? upTo(x.shape.length) : [set.axis].flat().map((axis) => (axis + x.shape.length) % x.shape.length));

/** @type {Record<string, (call: Call) => Check | null>} */
const FORWARD = {
  convolution: convolved, rectified_convolution: convolved, normalise: normalised, normalise_with: normalised,
  add: binary("+", (a, b) => a + b), subtract: binary("-", (a, b) => a - b), multiply: binary("*", (a, b) => a * b), divide: binary("/", (a, b) => a / b),
  relu: unary("relu"), sigmoid: unary("sigmoid"), tanh: unary("tanh"),
  dense: (call) => {
    const { of, at: [n, m], set } = call;
    const [x, w] = [of("x"), of("w")];
    const terms = upTo(x.shape[1]).map((k) => term(`input ${k}`, spot(x, n, k), spot(w, k, m)));
    return withBias(call, "Inputs × weights", terms, m, set.activation, `${py(x)}[${n}] @ ${py(w)}[:, ${m}]`, "x[n, k] w[k, m]");
  },
  max_pool: (call) => {
    const { terms, code, whole } = windowOf(call);
    const part = { title: "The window; its largest cell wins, of equal ones the first", terms, best: true };
    if (call.place === 0) return made("y = the largest of the window", [part], [], total(part), `${code}.max()`);
    const winner = terms.find((one) => product(one) === total(part));
    const number = winner ? Number(winner.words.slice(5)) : 0;
    return made("the number of the cell that won, row by row", [part], [["it", spot(call.out[0], ...call.at)]], number, whole ? `${code}.argmax()` : String(number));
  },
  average_pool: (call) => {
    const { terms, code } = windowOf(call);
    const part = { title: "The window", terms };
    return made(`y = Σ x / ${terms.length}`, [part], [["the sum", total(part)]], total(part) / terms.length, `${code}.mean()`);
  },
  drop: ({ set, of, out, at, place }) => (place ? null : dropped(set, of("x"), out[1], at, "y = x × mask / (1 − rate)")),
  normalised_exponential: ({ of, at, set }) => (of("x").shape.length === 2 && set.axis === 1 ? softmax(of("x"), at[0], at[1]) : null),
  softmax_crossentropy: ({ of, at, set, place }) => {
    const [z, t] = [of("z"), of("t")];
    if (place === 1) return softmax(z, at[0], at[1]);
    if (t.shape.length !== 1) return crossEntropyOfRows(z, t, at[0], set);
    const { parts, value: p, code } = softmax(z, at[0], t.get(at[0]));
    const inside = set.clip ? Math.min(Math.max(p, set.epsilon), 1 - set.epsilon) : p;
    return made("loss = − log p[label]", parts, [["the label", spot(t, at[0])], ["p[label]", p]], -Math.log(inside), code[0], `-np.log(${set.clip ? `np.clip(${code[1]}, ${set.epsilon}, 1 - ${set.epsilon})` : code[1]})`);
  },
  sum: ({ of, at, set }) => {
    const [x, axes] = [of("x"), axesOf(set, of("x"))];
    const rest = set.keepdims ? at.filter((_, axis) => !axes.includes(axis)) : [...at];
    const fixed = x.shape.map((_, axis) => (axes.includes(axis) ? null : rest.shift()));
    const terms = placesOf(x.shape.map((size, axis) => (fixed[axis] === null ? size : 1))).map((one) => {
      const there = one.map((i, axis) => (fixed[axis] === null ? i : fixed[axis]));
      return term(listed(there), spot(x, ...there));
    });
    return summed("y = Σ x", "x", terms, `${py(x)}[${fixed.map((i) => (i === null ? ":" : i)).join(", ") || "()"}].sum()`);
  },
  reshape: ({ of, at, out }) => moved(of("x"), at, out[0]),
};
