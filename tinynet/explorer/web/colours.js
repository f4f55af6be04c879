// Colours: viridis for values, blue-white-red around 0 for gradients and weights. One scale for a whole quantity.

const VIRIDIS = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
const AROUND_0 = ["#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"];
const NOT_A_NUMBER = [255, 0, 255];

/** 256 colours between some. @param {string[]} anchors */
function ramp(anchors) {
  const rgb = anchors.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Array.from({ length: 256 }, (_, i) => {
    const x = (i / 255) * (rgb.length - 1);
    const low = Math.min(Math.floor(x), rgb.length - 2);
    return rgb[low].map((v, c) => Math.round(v + (x - low) * (rgb[low + 1][c] - v)));
  });
}

const RAMPS = { values: ramp(VIRIDIS), signed: ramp(AROUND_0) };

/** @typedef {{lo: number, hi: number, colours: number[][]}} Scale */

/** @param {Quantity} quantity */
const isSigned = (quantity) => ["gradient", "weight", "slot", "state"].includes(quantity.role);

/** @param {any} x */
const finite = (x) => (typeof x === "number" ? x : 0);

/** @param {Quantity[]} all @param {boolean} signed @returns {Scale} */
function scaleOver(all, signed) {
  const known = all.filter((quantity) => quantity.stats && quantity.stats.min !== null);
  let lo = Math.min(...known.map((quantity) => finite(quantity.stats.min)));
  let hi = Math.max(...known.map((quantity) => finite(quantity.stats.max)));
  if (signed) [lo, hi] = [-Math.max(-lo, hi, 1e-30), Math.max(-lo, hi, 1e-30)];
  if (!(hi > lo)) hi = lo + 1;
  return { lo, hi, colours: signed ? RAMPS.signed : RAMPS.values };
}

/** @param {Quantity} quantity */
function scaleOf(quantity) {
  const signed = isSigned(quantity);
  if (!shown.same || quantity.dtype !== "float32") return scaleOver([quantity], signed);
  const alike = quantities.filter((one) => one.role === quantity.role && one.dtype === "float32");
  return scaleOver(alike, signed);
}

/** @param {Scale} scale @param {number} x */
function colour(scale, x) {
  if (Number.isNaN(x)) return NOT_A_NUMBER;
  const place = Math.round(((x - scale.lo) / (scale.hi - scale.lo)) * 255);
  return scale.colours[Math.max(0, Math.min(255, place))];
}

/** A bar with its ends in numbers. @param {Scale} scale */
function legend({ lo, hi, colours }) {
  const signed = colours === RAMPS.signed;
  const bar = el("i", { style: `background:linear-gradient(to right,${signed ? AROUND_0 : VIRIDIS})` });
  return el("div", { class: "legend" }, digits(lo, 3), bar, digits(hi, 3), ` (middle ${signed ? 0 : digits((lo + hi) / 2, 3)})`);
}
