// The page computes: every number of the forward pass once more, from the numbers before it, by the functions that check one.

/** @typedef {{numbers: Float32Array | Float64Array, sizes: Float64Array}} Computed  sizes: what was added for each, without signs */

const LINEAR = ["dense", "convolution", "rectified_convolution"];

/** All numbers of an output, from those of the inputs; null where no function says how. @param {Operation} op @param {number} place */
function computed(op, place) {
  const call = callOf("forward", op, [], place);
  const out = call.out[place];
  const numbers = new (out.dtype === "float64" ? Float64Array : Float32Array)(out.size);
  const found = { numbers, sizes: new Float64Array(out.size) };
  if (LINEAR.includes(op.name)) return op.formulas.length ? multiplied(call, found) : null;
  for (let i = 0; i < out.size; i++) {
    const check = madeBy("forward", { ...call, at: out.where(i) });
    if (!check) return null;
    numbers[i] = check.value;
    found.sizes[i] = check.size;
  }
  return found;
}

/** What `linear` says of one number, for all of them, in plain loops. A dense layer is a convolution of images of one pixel.
 *  @param {Call} call @param {Computed} found */
function multiplied({ op, of, set, out: [y] }, found) {
  const [x, w, b] = [of("x"), of("w"), of("b")];
  const [images, rows, columns, filters] = op.name === "dense" ? [y.shape[0], 1, 1, y.shape[1]] : y.shape;
  const [, height, width, channels] = op.name === "dense" ? [0, 1, 1, x.shape[1]] : x.shape;
  const [kh, kw, each] = op.name === "dense" ? [1, 1, channels] : w.shape;
  const { strides = [1, 1], padding = [[0, 0], [0, 0]], dilation = [1, 1], groups = 1 } = set;
  const group = filters / groups;
  const act = formulaOf(op.formulas[0]);
  const [sums, sizes] = [new Float64Array(filters), new Float64Array(filters)];
  let place = 0;
  for (const [n, oy, ox] of placesOf([images, rows, columns])) {
    for (let f = 0; f < filters; f++) sizes[f] = Math.abs((sums[f] = b ? b.data[f] : 0));
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++) {
        const row = oy * strides[0] - padding[0][0] + i * dilation[0];
        const column = ox * strides[1] - padding[1][0] + j * dilation[1];
        if (row < 0 || column < 0 || row >= height || column >= width) continue;
        const pixel = ((n * height + row) * width + column) * channels;
        for (let c = 0; c < channels; c++) {
          const value = x.data[pixel + c];
          const first = Math.floor(c / each) * group;
          const weights = ((i * kw + j) * each + (c % each)) * filters;
          for (let f = first; f < first + group; f++) {
            sums[f] += value * w.data[weights + f];
            sizes[f] += Math.abs(value * w.data[weights + f]);
          }
        }
      }
    for (let f = 0; f < filters; f++, place++) [found.numbers[place], found.sizes[place]] = act({ x: [sums[f], sizes[f]] });
  }
  return found;
}

/** Compares all that the forward pass gave with what this page makes of the numbers before it; says so in the header. */
async function compareAll() {
  const badge = byId("badge");
  let [count, wrong] = [0, ""];
  const left = new Set();
  for (const op of operations.filter((one) => one.phase === "forward")) {
    await new Promise((done) => setTimeout(done));
    const near = [...op.inputs.map((one) => one.q), ...op.outputs].filter((q) => q !== null).map((q) => quantities[q]);
    const known = near.every((one) => one.data && !one.approximate);
    op.outputs.forEach((q, place) => {
      const found = known ? computed(op, place) : null;
      if (!found && (place === 0 || !known)) left.add(op.name);
      if (!found) return;
      count += found.numbers.length;
      const off = found.numbers.findIndex((value, i) => !right(value, quantities[q].data[i], found.sizes[i]));
      if (off >= 0) wrong = wrong || `${quantities[q].name} [${listed(quantities[q].where(off))}]`;
    });
  }
  const rest = left.size ? `; not compared: ${[...left].join(", ")}` : "";
  if (!count) return;
  badge.className = wrong ? "differs" : "";
  badge.title = `Every number of the forward pass, computed once more by this page from the numbers before it${rest}`;
  fill(badge, wrong ? `JS ≠ tinynet ✗: ${wrong}` : `JS = tinynet ✓ ${short(count)} numbers, but for rounding${rest}`);
}

/** Whether two numbers are the same but for float32's rounding of what was added. */
const right = (a, b, size) => Object.is(a, b) || Math.abs(a - b) <= tolerance({ value: b, size });
