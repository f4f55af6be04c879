// Backward, number by number: what a rule sends on, from the gradient that it was given.

const FROM_RELU = "g * (y > 0)";

/** dx, dw or db of a dense layer or convolution. @param {Call} call */
function linearRule(call) {
  const { op, of, at, place, g, out } = call;
  const slope = op.formulas[1];
  // the sum x is gone
  if (!slope || namesIn(slope).includes("x")) return null;
  const slopeAt = (y) => formulaOf(slope)({ g: [1, 1], y: sizedNumber(out[0].get(...y)) })[0];
  const [which, other] = [["x", "w"], ["w", "x"], ["b", null]][place];
  const met = which === "b" ? members(g, upTo(g.shape.length - 1), at).map((y) => ({ y, words: listed(y) })) : meetings(call, which, at);
  const code = [`g, y = ${py(g)}, ${py(out[0])}`, ...(slope === "g" ? [] : [`g = ${slope}`])];
  const beside = () => (other ? `${sliced(of(other), met.map((one) => one[other]))} * ` : "");
  // an open relu is no factor
  const all = met.map((one) => term(one.words, ...(other ? [spot(of(other), ...one[other])] : []), spot(g, ...one.y), ...[slopeAt(one.y)].filter((factor) => factor !== 1)));
  const why = slope === FROM_RELU ? "relu was closed (y = 0), so its slope is 0" : "the slope is 0";
  const terms = all.filter((one) => !one.factors.includes(0));
  const closed = all.filter((one) => one.factors.includes(0)).map((one) => ({ ...one, words: why }));
  const factors = slope.replaceAll(" * ", " · ");
  const words = { x: `dx = Σ w · ${factors}, over the outputs that saw this number`, w: `dw = Σ x · ${factors}, over images and places`, b: `db = Σ ${factors}, over images and places` }[which];
  const title = `${{ x: "Weights × gradient", w: "Inputs × gradient", b: "Gradient" }[which]}${slope === "g" ? "" : " × slope"}`;
  return worked(call, words, {}, ["total"], { total: { title, terms, closed, code: () => `(${beside()}g[${cut(met.map((one) => one.y))}]).sum()` } }, code);
}

/** Batch and layer norm; the three terms of the derivative by x. @param {Call} call */
function normaliseRule(call) {
  const { of, set, at, place, op, g } = call;
  if (op.rule.upstream.slice(1).some((q) => q !== null && quantities[q].stats.max !== quantities[q].stats.min)) return null;
  const [x, gamma, { mean, variance }] = [of("x"), of("gamma"), moments(call)];
  const rate = (there) => (x.get(...there) - valueOf(repeated(mean, there))) / Math.sqrt(valueOf(repeated(variance, there)) + set.epsilon);
  const code = [`xhat = (${py(x)} - ${py(mean)}) / sqrt(${py(variance)} + ${set.epsilon})`];
  // gamma differs from number to number, so it stays within the sums
  const scaled = op.name === "standardise";
  const sumOf = (title, places, withHat, withGamma) => ({
    title, code: () => `(${sliced(g, places)}${withGamma ? ` * (${py(gamma)} + 0 * ${py(g)})[${cut(places)}]` : ""}${withHat ? ` * xhat[${cut(places)}]` : ""}).sum()`,
    terms: places.map((there) => term(listed(there), spot(g, ...there), ...(withGamma ? [repeated(gamma, there)] : []), ...(withHat ? [rate(there)] : []))),
  });
  if (place) {
    const like = gamma.shape;
    const axes = upTo(x.shape.length).filter((axis) => (like[axis - x.shape.length + like.length] || 1) === 1);
    return worked(call, place === 1 ? "dgamma = Σ g x̂" : "dbeta = Σ g", {}, ["total"], { total: sumOf(place === 1 ? "g × x̂" : "g", members(x, axes, at), place === 1, false) }, code);
  }
  const places = members(x, normalisedAxes(call), at);
  const name = scaled ? "g gamma" : "g";
  const parts = { sum_g: sumOf(`Σ ${name}${scaled ? "" : ", which is dbeta"}`, places, false, scaled), sum_gx: sumOf(`Σ ${name} x̂${scaled ? "" : ", which is dgamma"}`, places, true, scaled) };
  const through = scaled ? "g * gamma" : "g";
  const three = `${through} ${set.centred === false ? "" : "+ through_mean "}+ through_var`;
  return worked(call, `dx = ${scaled ? "1" : "gamma"} / √(var + epsilon) × (${name} − Σ ${name} / count − x̂ Σ ${name} x̂ / count)\nit depends on all ${places.length} numbers, as they share mean and var`,
    { g: spot(g, ...at), x: spot(x, ...at), mean: repeated(mean, at), var: repeated(variance, at), gamma: repeated(gamma, at), count: places.length },
    ["root = sqrt(var + epsilon)", "xhat = (x - mean) / root", "through_mean = -sum_g / count", "through_var = -xhat * sum_gx / count", scaled ? `(${three}) / root` : `gamma / root * (${three})`], parts, code);
}

/** A gradient that is spread over the windows that a cell lies in. @param {Call} call @param {boolean} largest */
function poolRule(call, largest) {
  const { at, set, out, g } = call;
  const terms = meetings(call, "x", at).map(({ y, w: [i, j] }) => {
    const winner = largest && out[1].get(...y);
    const share = largest ? Number(winner === i * set.pool_size[1] + j) : 1 / meetings(call, "y", y).length;
    return term(`window ${y[1]}, ${y[2]}${largest ? (share ? ": it won" : `: cell ${winner} won`) : ""}`, spot(g, ...y), share);
  });
  const code = () => terms.map(({ factors }) => factors.map(text).join(" * ")).join(" + ") || "0.0";
  return worked(call, largest ? "the gradient goes to the cell that won, alone" : "each window shares its gradient equally", {}, ["total"], { total: { title: "Windows that this cell lies in", terms, code } });
}

/** @param {Call} call */
function crossEntropyRule(call) {
  const { of, set, at: [n, c], out, g, op } = call;
  const [t, p] = [of("t"), out[1]];
  const row = upTo(p.shape[1]).map((k) => (t.shape.length === 1 ? Number(t.get(n) === k) : t.get(n, k)));
  const clipped = set.clip && row.some((wanted, k) => wanted && (p.get(n, k) < set.epsilon || p.get(n, k) > 1 - set.epsilon));
  if (clipped || op.rule.upstream[1] !== null) return null;
  const all = row.reduce((a, b) => a + b, 0);
  const given = { g: spot(g, n), p: spot(p, n, c), t: t.shape.length === 1 ? row[c] : spot(t, n, c), weight: all };
  return worked(call, `dz = g (p ${all === 1 ? "" : "Σ t "}− t); g, of this image's loss, is 1 / N for a mean`, given, [all === 1 ? "g * (p - t)" : "g * (p * weight - t)"]);
}

/** @type {Record<string, (call: Call) => Check | null>} */
const BACKWARD = {
  dense: linearRule, convolution: linearRule, rectified_convolution: linearRule, normalise: normaliseRule, standardise: normaliseRule,
  softmax_crossentropy: crossEntropyRule, max_pool: (call) => poolRule(call, true), average_pool: (call) => poolRule(call, false),
  drop: (call) => dropped(call, call.g, "dx = g × mask / (1 − rate), the mask from before"),
  reshape: (call) => copied(call, moved(call.g, call.at, call.given)),
  permute: (call) => copied(call, spot(call.g, ...call.set.axes.map((axis) => call.at[axis]))),
  join: (call) => copied(call, spot(call.g, ...call.at.with(call.set.axis, call.at[call.set.axis] + joints(call)[call.place])), "its part of the gradient"),
  sum: (call) => {
    const axes = axesOf(call.set, call.given);
    const at = call.set.keepdims ? call.at.map((i, axis) => (axes.includes(axis) ? 0 : i)) : call.at.filter((_, axis) => !axes.includes(axis));
    return copied(call, spot(call.g, ...at), "every term of a sum gets the sum's gradient");
  },
};
