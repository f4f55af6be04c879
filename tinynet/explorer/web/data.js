// Numbers: the index, and the arrays that it tells of. Nothing here knows of the page.

/** @typedef {{name: string, role: string, shape: number[], dtype: string, by: [string, number, number] | null,
 *   of: number | null, parts: number[], note: string, batch: boolean, block: Block | null,
 *   stats: {min: any, max: any, mean: any, zeros: number, words: string} | null}} Info */
/** @typedef {{at: number, dtype: string, lo?: number, hi?: number, from?: number}} Block
 *  where an array begins; lo, hi: what bytes 0 and 255 mean; from: the quantity of which it is a changed copy */
/** @typedef {{name: string, q: number | null, value: any}} Input */
/** @typedef {{phase: string, name: string, layer: string, inputs: Input[], outputs: number[], settings: any, lines: string[], formulas: string[], kept: any[],
 *   kernels: any[], flops: number, bytes: number, source: number | null, rule: any}} Operation */
/** @typedef {{q: number, at: number[]}} Place  one number: of which quantity, and where */

const TYPES = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array,
  uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
  bool: Uint8Array,
};

/** A quantity with its numbers. */
class Quantity {
  /** @param {number} number @param {Info} info @param {ArrayBuffer} memory */
  constructor(number, info, memory) {
    Object.assign(this, info);
    this.number = number;
    this.size = info.shape.reduce((a, b) => a * b, 1);
    /** @type {ArrayLike<number> | null} */
    this.data = info.block ? unpacked(info.block, this.size, memory) : null;
    this.approximate = Boolean(info.block && "lo" in info.block);
    this.strides = info.shape.map((_, i) => info.shape.slice(i + 1).reduce((a, b) => a * b, 1));
  }

  /** The number at a place; 0 outside of the array, as padding has it. @param {...number} at */
  get(...at) {
    let place = 0;
    for (let i = 0; i < at.length; i++) {
      if (at[i] < 0 || at[i] >= this.shape[i]) return 0;
      place += at[i] * this.strides[i];
    }
    return this.data ? this.data[place] : NaN;
  }

  /** The place of element number `i` in C order. @param {number} i */
  where(i) {
    return this.strides.map((stride, axis) => Math.floor(i / stride) % this.shape[axis]);
  }
}

/** The numbers of a block: their first bytes lie before all second ones.
 *  @param {Block} block @param {number} size @param {ArrayBuffer} memory */
function unpacked(block, size, memory) {
  const bytes = new TYPES[block.dtype](size);
  const planes = new Uint8Array(memory, block.at, bytes.byteLength);
  const each = new Uint8Array(bytes.buffer);
  const width = bytes.BYTES_PER_ELEMENT;
  for (let plane = 0; plane < width; plane++)
    for (let i = 0, from = plane * size; i < size; i++) each[i * width + plane] = planes[from + i];
  if ("from" in block) {
    const changes = new Uint32Array(bytes.buffer);
    const base = new Uint32Array(/** @type {any} */ (quantities[block.from].data).buffer);
    for (let i = 0; i < size; i++) changes[i] = base[i] + ((changes[i] >>> 1) ^ -(changes[i] & 1));
  }
  if ("lo" in block) return Float32Array.from(bytes, (byte) => block.lo + ((block.hi - block.lo) * byte) / 255);
  return bytes instanceof BigInt64Array || bytes instanceof BigUint64Array ? Float64Array.from(bytes, Number) : bytes;
}

/** The bytes of a block of the page: base64 of gzip. @param {string} id */
async function readBlock(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** @type {any} */
let index = null;
/** @type {Quantity[]} */
let quantities = [];
/** @type {Operation[]} */
let operations = [];

async function readPage() {
  index = JSON.parse(new TextDecoder().decode(await readBlock("index")));
  const memory = await readBlock("arrays");
  for (const info of index.quantities) quantities.push(new Quantity(quantities.length, info, memory));
  operations = index.operations;
}

/** The quantity of an input by its name, or null. @param {Operation} operation @param {string} name */
function inputOf(operation, name) {
  const found = operation.inputs.find((input) => input.name === name);
  return found && found.q !== null ? quantities[found.q] : null;
}

/** A number as text, with the digits that float32 has. @param {number} x */
function digits(x, precision = 8) {
  if (!Number.isFinite(x) || Number.isInteger(x)) return String(x).replace("-", "−");
  const text = x.toPrecision(precision).replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1");
  return text.replace(/^-/, "−");
}

/** 1234567 as 1.23 M, and of a unit as 1.23 MB. @param {number} x */
function short(x, unit = "") {
  for (const [limit, prefix] of /** @type {[number, string][]} */ ([[1e9, "G"], [1e6, "M"], [1e3, "k"]]))
    if (x >= limit) return `${digits(x / limit, 3)} ${prefix}${unit}`;
  return `${digits(x, 3)} ${unit}`.trim();
}

/** [4, 28, 28, 7] as 4×28×28×7. @param {number[]} shape */
const times = (shape) => (shape.length ? shape.join("×") : "one number");
