// Draw: what the net predicts for an image of one's own, computed in this page: moving averages, no dropout.

/** Pixels as they are drawn on; those of the net lie between the least and largest of the images it was shown. */
const drawing = { rows: 0, columns: 0, channels: 1, lo: 0, hi: 1, at: [0, 0], down: false };

/** The operations of the prediction. */
const predicted = () => operations.filter((op) => op.phase === "predicted");

/** Computes the prediction for the image as it is now; the name of an operation that this page cannot compute, or "". */
function predict() {
  for (const op of predicted()) {
    const found = computed(op, 0);
    if (!found) return op.name;
    let [lo, hi] = [Infinity, -Infinity];
    for (const x of found.numbers) [lo, hi] = [Math.min(lo, x), Math.max(hi, x)];
    Object.assign(quantities[op.outputs[0]], { data: found.numbers, stats: { min: lo, max: hi, mean: 0, zeros: 0, words: "" } });
  }
  return "";
}

/** Ink, between 0 and 1, around a place. @param {number} y @param {number} x in pixels */
function ink(y, x) {
  const image = quantities[index.drawn.input];
  const { rows, columns, channels, lo, hi } = drawing;
  const radius = Math.max(0.7, rows / 20);
  for (const [row, column] of placesOf([rows, columns])) {
    const dark = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(row + 0.5 - y, column + 0.5 - x)));
    const first = (row * columns + column) * channels;
    if (dark) for (let c = first; c < first + channels; c++) image.data[c] = Math.max(image.data[c], lo + dark * (hi - lo));
  }
}

/** Puts what is drawn in the middle as MNIST does: by its centre of mass, in a box of 20 of 28 pixels. */
function centre() {
  const { rows, columns, channels, lo } = drawing;
  const image = quantities[index.drawn.input];
  const old = image.data.slice();
  const weight = (row, column) => (row >= 0 && column >= 0 && row < rows && column < columns ? old[(row * columns + column) * channels] - lo : 0);
  const inked = placesOf([rows, columns]).filter((at) => weight(...at) > 0);
  if (!inked.length) return;
  const all = inked.reduce((sum, at) => sum + weight(...at), 0);
  const [y, x] = [0, 1].map((axis) => inked.reduce((sum, at) => sum + (at[axis] + 0.5) * weight(...at), 0) / all);
  const extent = (axis) => Math.max(...inked.map((at) => at[axis])) - Math.min(...inked.map((at) => at[axis])) + 1;
  const scale = Math.max(extent(0), extent(1)) / ((20 / 28) * rows);
  placesOf([rows, columns]).forEach(([row, column], i) => {
    const [from, left] = [y + (row + 0.5 - rows / 2) * scale - 0.5, x + (column + 0.5 - columns / 2) * scale - 0.5];
    const [top, side] = [Math.floor(from), Math.floor(left)];
    const [down, right] = [from - top, left - side];
    const mixed = (1 - down) * ((1 - right) * weight(top, side) + right * weight(top, side + 1)) + down * ((1 - right) * weight(top + 1, side) + right * weight(top + 1, side + 1));
    image.data.fill(lo + mixed, i * channels, (i + 1) * channels);
  });
}

/** Shows the image, the answer, and what lies between; computes them first. */
function drawPrediction() {
  const { rows, columns, channels, lo, hi, at } = drawing;
  const canvas = byId("paper");
  const image = quantities[index.drawn.input];
  const size = canvas.width / columns;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const level = (row, column, c) => (255 * (image.data[(row * columns + column) * channels + (channels === 3 ? c : 0)] - lo)) / (hi - lo);
  context.drawImage(painted(rows, columns, (row, column) => [0, 1, 2].map((c) => level(row, column, c))), 0, 0, canvas.width, canvas.height);
  context.strokeStyle = "#ffb000";
  if (document.activeElement === canvas) context.strokeRect(at[1] * size, at[0] * size, size, size);
  const unknown = predict();
  if (unknown) return fill(byId("answer"), faint(`This page cannot compute ${unknown}, so it has no answer.`));
  const out = quantities[index.drawn.output];
  const numbers = [...out.data].slice(0, 100);
  const [most, best] = [Math.max(...numbers.map(Math.abs), 1e-30), numbers.indexOf(Math.max(...numbers))];
  const bars = numbers.map((x, i) => [el(i === best ? "b" : "span", {}, String(i)), el("span", { class: "bar-cell" }, el("i", { style: `left:0;width:${(100 * Math.abs(x)) / most}%` })), numberButton({ q: out.number, at: out.where(i) }, 4)]);
  fill(byId("answer"), el("p", { "aria-live": "polite" }, "The largest is ", el("b", {}, String(best)), "."),
    table("Answer", ["class", "bar", "value"].map((words) => el("th", { scope: "col" }, words)), bars.map((cells) => cells.map((one) => el("td", {}, one)))));
  fill(byId("between"), predicted().map((op) => quantities[op.outputs[0]]).filter((one) => one.shape.length === 4).map((one) => {
    const sheet = el("canvas", { class: "sheet", role: "img", "aria-label": `${one.name}: ${times(one.shape)}` });
    drawSheet(sheet, one, 0, 260);
    return el("figure", {}, el("figcaption", {}, one.name), sheet);
  }));
}

/** One of the step's images. @param {number} n */
function takeImage(n) {
  const [image, shown] = [quantities[index.drawn.input], quantities[0]];
  image.data.set(Array.from(shown.data).slice(n * image.size, (n + 1) * image.size));
  drawPrediction();
}

/** @param {any} event of the pointer, on the paper */
function drawAt(event) {
  const canvas = byId("paper");
  if (event.type !== "pointermove") drawing.down = event.type === "pointerdown";
  if (!drawing.down) return;
  ink((event.offsetY / canvas.clientHeight) * drawing.rows, (event.offsetX / canvas.clientWidth) * drawing.columns);
  requestAnimationFrame(drawPrediction);
}

/** Arrow keys move, space draws. @param {KeyboardEvent} event */
function drawByKey(event) {
  const move = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], " ": [0, 0] }[event.key];
  if (!move) return;
  drawing.at = [(drawing.at[0] + move[0] + drawing.rows) % drawing.rows, (drawing.at[1] + move[1] + drawing.columns) % drawing.columns];
  if (event.key === " ") ink(drawing.at[0] + 0.5, drawing.at[1] + 0.5);
  event.preventDefault();
  event.stopPropagation();
  drawPrediction();
}

function startDrawing() {
  const [image, { stats, data }] = [quantities[index.drawn.input], quantities[0]];
  if (!data) return;
  const [, rows, columns = 1, channels = 1] = image.shape;
  const side = Math.sqrt(rows);
  Object.assign(drawing, image.shape.length === 2 ? { rows: side, columns: side } : { rows, columns, channels }, { lo: finite(stats.min), hi: finite(stats.max) });
  const paper = byId("paper");
  paper.width = 280;
  paper.height = Math.round((280 * drawing.rows) / drawing.columns);
  for (const name of ["pointerdown", "pointermove", "pointerup", "pointerleave"]) paper.addEventListener(name, drawAt);
  paper.addEventListener("keydown", drawByKey);
  byId("clear").addEventListener("click", () => {
    image.data.fill(drawing.lo);
    drawPrediction();
  });
  byId("centred").addEventListener("click", () => {
    centre();
    drawPrediction();
  });
  fill(byId("stored"), upTo(index.batch).map((n) => button(`image ${n}`, () => takeImage(n))));
  TABS.push("draw");
  byId("tab-draw").hidden = false;
  redraws.push(() => shown.tab === "draw" && drawPrediction());
}
