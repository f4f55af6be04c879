// What is shown: the stop of the walk, the image, the number that is checked. Changes redraw what depends on them.

/** @typedef {{phase: string, number: number, operation: Operation}} Stop */

const shown = {
  stop: 0,
  image: 0,
  level: "layer",
  tab: "values",
  same: false, // one scale for all values, one for all gradients
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
  stops = index.order.map(([phase, number]) => ({ phase, number, operation: operations[number] }));
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

/** What a stop makes, and what it is given. @param {Stop} stop @returns {{made: Quantity[], given: Quantity[]}} */
function quantitiesAt({ phase, operation }) {
  const of = (numbers) => [...new Set(numbers)].filter((q) => q !== null).map((q) => quantities[q]);
  if (phase !== "backward")
    return { made: of(operation.outputs), given: of(operation.inputs.map((input) => input.q)) };
  const { upstream, returned } = operation.rule;
  const kept = operation.kept.map((one) => one.q);
  return { made: of(returned), given: of([...upstream, ...kept]) };
}

/** @param {Stop} stop */
function titleOf({ phase, operation }) {
  if (phase === "update") return `${operation.name} of ${quantities[operation.inputs[0].q].name}`;
  return phase === "backward" ? `derivative of ${operation.name}` : operation.name;
}

/** The path of a layer without the model, which is the same everywhere. @param {string} path */
const layerName = (path) => (path ? path.split("/").slice(1).join("/") || path : "loss");
