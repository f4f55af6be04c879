// Receptive field: which pixels of the input a number depends on, by going back through the operations.

/** @typedef {[number, number, number, number]} Box  first and last row, first and last column */

const WINDOWS = ["convolution", "rectified_convolution", "max_pool", "average_pool", "depthwise_convolution"];

/** The box of the input image that the number at a place depends on; null: no image, or all of it.
 *  @param {Quantity} quantity @param {number[]} at @returns {Box | null} */
function fieldOf(quantity, at) {
  if (quantity.of !== null) return fieldOf(quantities[quantity.of], at);
  if (!quantity.batch || quantity.shape.length !== 4) return null;
  return boxOf(quantity, [at[1], at[1], at[2], at[2]]);
}

/** The smallest box around those of all inputs that are images. @param {Quantity} here @param {Box} box @returns {Box | null} */
function boxOf(here, box) {
  if (!here.by) return box;
  const operation = operations[here.by[1]];
  const before = operation.inputs.map(({ q }) => quantities[q]).filter((one) => one && one.batch);
  const boxes = before.map((one) => {
    const its = one.shape.length === 4 ? boxBefore(operation, box, here, one) : null;
    return its && boxOf(one, its);
  });
  if (!boxes.length || boxes.includes(null)) return null;
  return box.map((_, i) => (i % 2 ? Math.max : Math.min)(...boxes.map((one) => one[i])));
}

/** @param {Operation} operation @param {Box} box @param {Quantity} after @param {Quantity} before @returns {Box | null} */
function boxBefore(operation, box, after, before) {
  const [, height, width] = before.shape;
  if (!WINDOWS.includes(operation.name))
    return after.shape[1] === height && after.shape[2] === width ? box : null;
  const { strides, padding } = operation.settings;
  const dilation = operation.settings.dilation || [1, 1];
  const size = operation.settings.pool_size || inputOf(operation, "w").shape.slice(0, 2);
  const low = (n, axis) => n * strides[axis] - padding[axis][0];
  const high = (n, axis) => low(n, axis) + (size[axis] - 1) * dilation[axis];
  return [
    Math.max(0, low(box[0], 0)), Math.min(height - 1, high(box[1], 0)),
    Math.max(0, low(box[2], 1)), Math.min(width - 1, high(box[3], 1)),
  ];
}

/** The first input whose quantity is images. */
function inputImages() {
  return quantities.find((quantity) => quantity.role === "input" && quantity.batch && quantity.shape.length === 4) || null;
}

/** An image of the input on a canvas, grey or in colours. @param {HTMLCanvasElement} canvas @param {Quantity} images
 *  @param {number} n @param {number} size of a pixel */
function drawInput(canvas, images, n, size = 1) {
  const [, height, width, channels] = images.shape;
  const [lo, hi] = [finite(images.stats.min), finite(images.stats.max)];
  const level = (...at) => (255 * (images.get(n, ...at) - lo)) / (hi - lo || 1);
  const picture = painted(height, width, (y, x) => [0, 1, 2].map((c) => level(y, x, channels >= 3 ? c : 0)));
  canvas.width = width * size;
  canvas.height = height * size;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
}
