// What is shown: the stop of the walk, the image, the number that is checked. Changes redraw what depends on them.

/** @typedef {{phase: string, number: number, operation: Operation, title: string, layer: string, made: number[], given: number[],
 *   flops: number, bytes: number, kept: number, parameters: number, kernel: string}} Stop */

const shown = {
  stop: 0,
  image: 0,
  level: "layer",
  tab: "values",
  // one scale for all values, one for all gradients
  same: false,
  /** @type {Place | null} */
  number: null,
  /** @type {Place[]} */
  trail: [],
};

/** @type {Stop[]} */
let stops = [];
/** @type {(() => void)[]} */
const redraws = [];

function readStops() {
  stops = index.order.map(([phase, number], i) => ({ phase, number, operation: operations[number], ...index.stops[i] }));
}

/** @param {Partial<typeof shown>} changes */
function show(changes) {
  Object.assign(shown, changes);
  for (const redraw of redraws) redraw();
  const chosen = "stop" in changes || changes.number;
  if (chosen && matchMedia("(max-width: 720px)").matches) byId("centre").scrollIntoView();
}

/** The stop at which a quantity appears, or null for what was there before. @param {Quantity} quantity */
function stopOf(quantity) {
  if (!quantity.by) return null;
  const [phase, number] = quantity.by;
  const place = stops.findIndex((stop) => stop.phase === phase && stop.number === number);
  return place < 0 ? null : place;
}

/** Goes to a number: shows where it was made, and how. @param {Place} place */
function checkNumber(place) {
  const quantity = quantities[place.q];
  const stop = stopOf(quantity);
  const trail = shown.number ? [...shown.trail, shown.number] : shown.trail;
  const image = quantity.batch ? { image: place.at[0] } : {};
  show({ number: place, trail: trail.slice(-50), tab: "check", ...image, ...(stop === null ? {} : { stop }) });
}

/** @param {Stop} stop */
const titleOf = ({ phase, operation, layer }) => `${phase === "backward" ? "derivative of " : ""}${operation.name} ${phase === "update" ? "of" : "in"} ${layer}`;

/** The quantities with some numbers. @param {number[]} numbers */
const these = (numbers) => numbers.map((q) => quantities[q]);
