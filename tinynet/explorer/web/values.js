// The middle: what a stop makes and what it is given, as pictures of which every pixel can be asked for.

/** What a picture says, in words. @param {Quantity} quantity */
const statistics = ({ stats }) => (stats ? stats.words : "its numbers were not kept");

/** A quantity's card; its picture is drawn when it is opened. @param {Quantity} quantity @param {boolean} open */
function card(quantity, open) {
  const body = el("div");
  const heading = el("summary", {}, quantity.name, " ", el("small", {}, `${times(quantity.shape)} ${quantity.dtype}`));
  const details = el("details", { class: "card", open, "data-quantity": quantity.number }, heading, body);
  const draw = () => details.open && !body.hasChildNodes() && fill(body, picture(quantity));
  details.addEventListener("toggle", draw);
  if (open) queueMicrotask(draw);
  return details;
}

/** @param {Quantity} quantity */
function picture(quantity) {
  const words = faint(statistics(quantity));
  if (!quantity.data) return [words, el("p", {}, "Not in this file: the tape did not keep it, or the file had to stay small.")];
  const rounded = quantity.approximate
    ? el("p", { class: "approximate" }, "≈ rounded to 256 steps, so that the file stays small: no number of it can be checked")
    : null;
  if (quantity.size === 1 && !quantity.shape.length)
    return [rounded, numberButton({ q: quantity.number, at: [] })];
  const width = Math.max(200, byId("centre").clientWidth - 48);
  const label = `${quantity.name}: ${statistics(quantity)}. Arrow keys move over the numbers, Enter checks one.`;
  const canvas = el("canvas", { class: "sheet", role: "img", tabindex: 0, "aria-label": label });
  const under = el("p", { class: "under", "aria-live": "polite" }, "point at a number, click to check it");
  const draw = () => drawSheet(canvas, quantity, shown.image, width);
  let layout = draw();
  /** @type {number[] | null} */
  let at = shown.number && shown.number.q === quantity.number ? shown.number.at : null;
  const look = (place) => {
    layout = draw();
    at = place;
    if (!at) return;
    mark(canvas, layout, at);
    fill(under, `[${at.join(", ")}] = ${digits(quantity.get(...at))}${quantity.approximate ? " ≈" : ""}`);
    canvas.title = named(quantity, at);
    showField(quantity, at);
  };
  if (at) queueMicrotask(() => look(at));
  const point = (event) => {
    const zoom = canvas.width / canvas.clientWidth;
    const place = placeAt(layout, event.offsetX * zoom, event.offsetY * zoom);
    if (place) look(place);
  };
  canvas.addEventListener("pointermove", point);
  // a finger does not move first
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("click", () => at && checkNumber({ q: quantity.number, at }));
  canvas.addEventListener("keydown", (event) => {
    const { tiles } = layout.sheet;
    const { columns } = tiles[0];
    const cells = tiles.flatMap((tile) => placesOf([tile.rows, columns]).map(([row, column]) => tile.at(row, column))).filter(Boolean);
    const here = at ? cells.findIndex((cell) => listed(cell) === listed(at)) : -1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (step) look(cells[Math.max(0, Math.min(cells.length - 1, here + step))]);
    else if (event.key === "Enter" && at) checkNumber({ q: quantity.number, at });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const note = layout.sheet.note ? faint(layout.sheet.note) : null;
  return [rounded, words, legend(scaleOf(quantity)), canvas, under, note];
}

/** The input image with the pixels that a number depends on. @param {Quantity | null} quantity @param {number[]} at */
function showField(quantity, at) {
  const images = inputImages();
  const canvas = byId("field");
  if (!images || !images.data) return;
  const size = Math.max(1, Math.round(224 / images.shape[2]));
  drawInput(canvas, images, shown.image, size);
  if (!quantity) return;
  const box = fieldOf(quantity, at);
  const it = quantity.of === null ? "It" : "Its value";
  const whole = quantity.batch ? `belongs to image ${at[0]}, all of it.` : quantity.role === "gradient" ? `has a gradient that is summed over all ${index.batch} images.` : "belongs to no single image.";
  fill(byId("field-words"), `${it} ${box ? `depends on rows ${box[0]} to ${box[1]}, columns ${box[2]} to ${box[3]} of the input.` : whole}`);
  if (!box) return;
  const context = canvas.getContext("2d");
  context.strokeStyle = "#ffb000";
  context.lineWidth = 5;
  context.strokeRect(box[2] * size, box[0] * size, (box[3] - box[2] + 1) * size, (box[1] - box[0] + 1) * size);
}

function drawValues() {
  if (byId("values").hidden) return;
  const stop = stops[shown.stop];
  const cards = (numbers) => these(numbers).map((quantity, i) => card(quantity, i === 0));
  fill(byId("what"), titleOf(stop));
  fill(byId("made"), stop.made.length ? cards(stop.made) : "nothing");
  fill(byId("given"), cards(stop.given));
  const images = inputImages();
  byId("fields").hidden = !images || !images.data || stop.phase === "update";
  fill(byId("field-image"), `image ${shown.image}`);
  fill(byId("field-words"), "Point at a number of a map: what it depends on is framed here.");
  showField(null, []);
}

const TABS = ["values", "check", "cost", "health"];

function drawTabs() {
  for (const name of TABS) {
    byId(`tab-${name}`).setAttribute("aria-selected", String(shown.tab === name));
    byId(name).hidden = shown.tab !== name;
  }
}

function startTabs() {
  const field = byId("field");
  field.addEventListener("click", ({ offsetX, offsetY }) => {
    const { shape: [, height, width], number } = inputImages();
    const [row, column] = [(offsetY / field.clientHeight) * height, (offsetX / field.clientWidth) * width].map(Math.floor);
    checkNumber({ q: number, at: [shown.image, Math.min(height - 1, row), Math.min(width - 1, column), 0] });
  });
  byId("same").addEventListener("change", (event) => show({ same: event.target.checked }));
  for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => show({ tab: name }));
  redraws.push(drawTabs);
}

/** What the numbers of a place count, where that is known. @param {Quantity} quantity @param {number[]} at */
function named({ batch, shape, name }, at) {
  const axes = { 4: `${batch ? "image " : ""}row column channel ${batch ? "" : "filter"}`, 2: batch ? "image number" : /kernel/.test(name) ? "input unit" : "" }[shape.length];
  return axes ? axes.split(" ").map((axis, i) => `${axis} ${at[i]}`).slice(0, at.length).join(", ") : "";
}

/** A number that leads to where it is checked. @param {Place} place */
function numberButton(place, precision = 8) {
  const quantity = quantities[place.q];
  const x = quantity.get(...place.at);
  const sign = isSigned(quantity) && x !== 0 ? (x < 0 ? " negative" : " positive") : "";
  return button(digits(x, precision), () => checkNumber(place), { class: `number${sign}`, title: `${quantity.name} [${listed(place.at)}]` });
}
