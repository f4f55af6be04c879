// Backward and update, number by number: what a rule sends on, from the gradient that it was given.

/** The gradient before the activation: as factors, and in Python. @param {Call} call @param {string | null} name */
function beforeActivation({ g, out }, name) {
  if (!name) return { factors: (...at) => [spot(g, ...at)], code: [`g = ${py(g)}`] };
  if (!CURVES[name]) return null;
  const [, , slope, words] = CURVES[name];
  return { factors: (...at) => [spot(g, ...at), slope(out[0].get(...at))], code: [`y = ${py(out[0])}`, `g = ${py(g)} * ${words}`] };
}

/** Without those that a closed relu holds back; an open one is no factor. @param {Term[]} terms */
const passing = (terms) => terms.filter(({ factors }) => !factors.includes(0)).map(({ words, factors }) => term(words, ...factors.filter((one) => one !== 1)));

/** @param {Call} call */
function convolutionRule(call) {
  const { of, set, at, op, place, g } = call;
  const [x, w] = [of("x"), of("w")];
  const { factors, code } = beforeActivation(call, op.name === "convolution" ? null : "relu");
  const open = op.name === "convolution" ? "" : ", where the relu is open";
  const [, rows, columns, filters] = g.shape;
  if (place === 2) {
    const terms = placesOf(g.shape.slice(0, 3)).map((one) => term(listed(one), ...factors(...one, at[0])));
    return summed("db = Σ g over images and pixels", `Gradient${open}`, passing(terms), ...code, `g[..., ${at[0]}].sum()`);
  }
  const each = w.shape[2];
  const along = (axis, wanted) => windows(set, axis, [g.shape[1 + axis], w.shape[axis], x.shape[1 + axis]], wanted);
  if (place === 1) {
    const [i, j, c, f] = at;
    const channel = Math.floor((f * set.groups) / filters) * each + c;
    const [down, across] = [along(0, [null, i, null]), along(1, [null, j, null])];
    const terms = upTo(g.shape[0]).flatMap((n) => down.flatMap(([y, , row]) => across.map(([z, , column]) =>
      term(`image ${n}, pixel ${row}, ${column}`, spot(x, n, row, column, channel), ...factors(n, y, z, f)))));
    return summed("dw = Σ x[n, pixel under this tap, c] g[n, output, f]", `Pixels × gradient${open}`, passing(terms), ...code,
      `(${py(x)}[:, ${slice(down, 2)}, ${slice(across, 2)}, ${channel}] * g[:, ${slice(down, 0)}, ${slice(across, 0)}, ${f}]).sum()`);
  }
  const [n, row, column, c] = at;
  const group = Math.floor(c / each);
  const [from, to] = [(group * filters) / set.groups, ((group + 1) * filters) / set.groups];
  const [down, across] = [along(0, [null, null, row]), along(1, [null, null, column])];
  const terms = down.flatMap(([y, i]) => across.flatMap(([z, j]) => upTo(to - from).map((f) =>
    term(`output ${y}, ${z}, filter ${from + f}`, spot(w, i, j, c - group * each, from + f), ...factors(n, y, z, from + f)))));
  const pairs = (all) => JSON.stringify(all.map(([output, tap]) => [output, tap])).replaceAll(",", ", ");
  return summed("dx = Σ w[tap, c, f] g[n, output, f], over the outputs that saw this pixel", `Weights × gradient${open}`, passing(terms), ...code,
    `sum(g[${n}, y, x, ${from}:${to}] @ ${py(w)}[i, j, ${c - group * each}, ${from}:${to}] for y, i in ${pairs(down)} for x, j in ${pairs(across)})`);
}

/** @param {Call} call */
function denseRule(call) {
  const { of, set, at: [k, m], place, g } = call;
  const [x, w] = [of("x"), of("w")];
  const { factors, code } = beforeActivation(call, set.activation) || {};
  if (!factors) return null;
  if (place === 0) return summed("dx = Σ g[n, m] w[k, m]", "Weights × gradient", passing(upTo(g.shape[1]).map((i) => term(`unit ${i}`, spot(w, m, i), ...factors(k, i)))), ...code, `g[${k}] @ ${py(w)}[${m}]`);
  const images = upTo(g.shape[0]);
  if (place === 1) return summed("dw = Σ x[n, k] g[n, m] over images", "Inputs × gradient", passing(images.map((n) => term(`image ${n}`, spot(x, n, k), ...factors(n, m)))), ...code, `${py(x)}[:, ${k}] @ g[:, ${m}]`);
  return summed("db = Σ g[n, m] over images", "Gradient", passing(images.map((n) => term(`image ${n}`, ...factors(n, k)))), ...code, `g[:, ${k}].sum()`);
}

/** The three terms of batch norm's derivative. @param {Call} call */
function normaliseRule({ of, set, at, out, place, op, g }) {
  const [x, gamma] = [of("x"), of("gamma")];
  const c = at[at.length - 1];
  const root = Math.sqrt(out[2].get(c) + set.epsilon);
  const xhat = (there) => (x.get(...there) - out[1].get(c)) / root;
  const all = placesOf(x.shape.slice(0, -1)).map((one) => [...one, c]);
  const [m, mine] = [all.length, spot(g, ...at)];
  const code = [`g, x = (q[name][..., ${c}].astype(float) for name in ("q${g.number}", "q${x.number}"))`, `root = np.sqrt(${text(spot(out[2], c))} + ${set.epsilon})`, `xhat = (x - ${text(spot(out[1], c))}) / root`];
  const dgamma = summed("dgamma = Σ g x̂", "g × x̂, over images and pixels", all.map((there) => term(listed(there), spot(g, ...there), xhat(there))), ...code, "(g * xhat).sum()");
  const dbeta = summed("dbeta = Σ g", "g, over images and pixels", all.map((there) => term(listed(there), spot(g, ...there))), ...code, "g.sum()");
  if (place) return [dgamma, dbeta][place - 1];
  const link = (i, check) => (op.rule.returned[i] === null ? check.value : spot(quantities[op.rule.returned[i]], c));
  const [second, third, scale] = [-dbeta.value / m, (-xhat(at) * dgamma.value) / m, gamma.get(c) / root];
  const three = valueOf(mine) + second + third;
  const steps = [["1. g, which comes straight through y", mine], ["Σ g = dbeta", link(2, dbeta)], [`2. − Σ g / ${m}, through the mean`, second], ["x̂", xhat(at)], ["Σ g x̂ = dgamma", link(1, dgamma)],
    [`3. − x̂ Σ g x̂ / ${m}, through the variance`, third], ["the three together", three], ["× gamma / √(variance + epsilon)", scale]];
  const here = `[${listed(at.slice(0, -1))}]`;
  const added = magnitude(valueOf(mine), magnitude(...all.map((there) => g.get(...there))) / m, (magnitude(x.get(...at), out[1].get(c)) / root) * dgamma.value / m, (xhat(at) * magnitude(...dgamma.parts[0].terms.map(product))) / m);
  return sized(scale * added, made("dx = gamma / √(variance + epsilon) × (g − Σ g / M − x̂ Σ g x̂ / M)", [], steps, scale * three,
    ...code, `${text(spot(gamma, c))} / root * (g${here} - g.mean() - xhat${here} * (g * xhat).mean())`));
}

/** A gradient that is spread over the windows that a cell lies in. @param {Call} call @param {boolean} largest */
function poolRule({ of, set, at: [n, row, column, c], out, g }, largest) {
  const [x, kernel] = [of("x"), set.pool_size];
  const along = (axis, wanted) => windows(set, axis, [g.shape[1 + axis], kernel[axis], x.shape[1 + axis]], wanted);
  const terms = along(0, [null, null, row]).flatMap(([y, i]) => along(1, [null, null, column]).map(([z, j]) => {
    const winner = largest ? out[1].get(n, y, z, c) : 0;
    const won = largest ? Number(winner === i * kernel[1] + j) : 1 / (along(0, [y, null, null]).length * along(1, [z, null, null]).length);
    return term(`window ${y}, ${z}${largest ? (won ? ": it won" : `: cell ${winner} won`) : ""}`, spot(g, n, y, z, c), won);
  }));
  const code = terms.map(({ factors }) => factors.map(text).join(" * ")).join(" + ") || "0.0";
  return summed(largest ? "the gradient goes to the cell that won, alone" : "each window shares its gradient equally", "Windows that this cell lies in", terms, code);
}

/** @param {string} formula in Python @param {(g: number, b: number) => number} act */
const passedOn = (formula, act) => ({ op, at, place, g, given }) => {
  if (listed(given.shape) !== listed(g.shape)) return null; // it was summed where it had been repeated
  const [mine, b] = [spot(g, ...at), operand(op.inputs[1 - place], at)];
  return made(formula, [], [["g", mine], ["b, the other operand", b]], act(valueOf(mine), valueOf(b)), `g, b = ${text(mine)}, ${text(b)}`, formula.slice(5));
};

/** @param {string} name */
const unaryRule = (name) => (call) => {
  const { factors, code } = beforeActivation(call, name);
  const [g, slope] = factors(...call.at);
  return sized(valueOf(g), made(`dx = g × slope of ${name}, from y`, [], [["g", g], ["y", spot(call.out[0], ...call.at)], ["slope", slope]], valueOf(g) * slope, ...code, `g[${listed(call.at)}]`));
};

/** @type {Record<string, (call: Call) => Check | null>} */
const BACKWARD = {
  relu: unaryRule("relu"), sigmoid: unaryRule("sigmoid"), tanh: unaryRule("tanh"),
  convolution: convolutionRule, rectified_convolution: convolutionRule, dense: denseRule, normalise: normaliseRule,
  max_pool: (call) => poolRule(call, true), average_pool: (call) => poolRule(call, false),
  drop: ({ set, g, out, at }) => dropped(set, g, out[1], at, "dx = g × mask / (1 − rate), the mask from before"),
  reshape: ({ g, at, given }) => moved(g, at, given),
  add: passedOn("da = g", (g) => g),
  multiply: passedOn("da = g * b", (g, b) => g * b),
  divide: (call) => (call.place ? null : passedOn("da = g / b", (g, b) => g / b)(call)),
  sum: ({ g, at, given, set }) => {
    const axes = axesOf(set, given);
    const there = spot(g, ...(set.keepdims ? at.map((i, axis) => (axes.includes(axis) ? 0 : i)) : at.filter((_, axis) => !axes.includes(axis))));
    return made("every term of a sum gets the sum's gradient", [], [["g", there]], valueOf(there), text(there));
  },
  softmax_crossentropy: ({ of, set, at: [n, c], out, g, op }) => {
    const [t, p] = [of("t"), out[1]];
    const row = upTo(p.shape[1]).map((k) => (t.shape.length === 1 ? Number(t.get(n) === k) : t.get(n, k)));
    const clipped = set.clip && row.some((wanted, k) => wanted && (p.get(n, k) < set.epsilon || p.get(n, k) > 1 - set.epsilon));
    if (clipped || op.rule.upstream[1] !== null) return null;
    const [weight, mine] = [row.reduce((a, b) => a + b, 0), spot(g, n)];
    const steps = [["g, the gradient of this image's loss: 1 / N for a mean", mine], ["p", spot(p, n, c)], ["t, 1 for the right class", t.shape.length === 1 ? row[c] : spot(t, n, c)]];
    if (weight !== 1) steps.push(["Σ t", weight]);
    return sized(valueOf(mine) * magnitude(p.get(n, c) * weight, row[c]), made(`dz = g (p ${weight === 1 ? "" : "Σ t "}− t)`, [], steps, valueOf(mine) * (p.get(n, c) * weight - row[c]), `${text(mine)} * (${text(spot(p, n, c))}${weight === 1 ? "" : ` * ${weight}`} - ${row[c]})`));
  },
};

const HINDRANCES = ["weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor", "gradient_accumulation_steps", "constraint"];

/** @type {Record<string, (call: Call) => Check | null>} */
const UPDATE = {
  adam: ({ of, set, at, place }) => {
    if (of("peak") || HINDRANCES.some((name) => set[name])) return null;
    const spots = ["w", "g", "m", "v"].map((name) => spot(of(name), ...at));
    const [w, g, m, v] = spots.map(valueOf);
    const { beta_1: b1, beta_2: b2, t, learning_rate: eta, epsilon } = set;
    const [m1, v1] = [m + (1 - b1) * (g - m), v + (1 - b2) * (g * g - v)];
    const rate = (eta * Math.sqrt(1 - b2 ** t)) / (1 - b1 ** t);
    const change = (rate * m1) / (Math.sqrt(v1) + epsilon);
    const steps = [["w", spots[0]], ["g", spots[1]], ["m before", spots[2]], [`m + (1 − ${b1}) (g − m)`, m1], ["v before", spots[3]], [`v + (1 − ${b2}) (g² − v)`, v1],
      [`rate at step ${t}: ${eta} √(1 − beta_2^t) / (1 − beta_1^t)`, rate], ["rate m / (√v + epsilon)", change]];
    const added = magnitude(m, (1 - b1) * magnitude(g, m));
    const scale = [magnitude(w, (rate * added) / (Math.sqrt(v1) + epsilon)), added, v1][place];
    return sized(scale, made("w ← w − rate m / (√v + epsilon)", [], steps, [w - change, m1, v1][place], `w, g, m, v = (float(x) for x in (${spots.map(text).join(", ")}))`,
      `m, v = m + (1 - ${b1}) * (g - m), v + (1 - ${b2}) * (g * g - v)`, `rate = ${eta} * np.sqrt(1 - ${b2}**${t}) / (1 - ${b1}**${t})`, [`w - rate * m / (np.sqrt(v) + ${epsilon})`, "m", "v"][place]));
  },
  sgd: ({ of, set, at }) => {
    if (HINDRANCES.some((name) => set[name])) return null;
    const [w, g] = ["w", "g"].map((name) => spot(of(name), ...at));
    return sized(magnitude(valueOf(w), set.learning_rate * valueOf(g)), made("w ← w − learning_rate g", [], [["w", w], ["g", g], ["learning rate", set.learning_rate]], valueOf(w) - set.learning_rate * valueOf(g), `${text(w)} - ${set.learning_rate} * ${text(g)}`));
  },
};
