// Contact sheets: a quantity as tiles on a canvas, of the chosen image. Every pixel is a number that can be asked for.

/** @typedef {{rows: number, columns: number, at: (row: number, column: number) => number[] | null}} Tile */
/** @typedef {{tiles: Tile[], across: number, note: string}} Sheet */
/** @typedef {{sheet: Sheet, size: number, across: number, wide: number, high: number}} Layout
 *  size: pixels of a cell; across: tiles in a row; wide, high: from a tile to the next */

const MOST_TILES = 64;
const GAP = 3;

/** Numbers one after the other, wrapped into lines. @param {number} count @param {(i: number) => number[]} at @returns {Tile} */
function lines(count, at) {
  const columns = Math.min(count, count <= 20 ? count : count <= 256 ? 32 : 64);
  const place = (row, column) => (row * columns + column < count ? at(row * columns + column) : null);
  return { rows: Math.ceil(count / columns), columns, at: place };
}

/** The tiles of a quantity for an image of the batch. @param {Quantity} quantity @param {number} image @returns {Sheet} */
function sheetOf(quantity, image) {
  const { shape } = quantity;
  const first = quantity.batch ? [image] : [];
  const inner = quantity.batch ? shape.slice(1) : shape;
  if (inner.length === 3 && quantity.batch) {
    const [rows, columns, channels] = inner;
    return limited(channels, (c) => ({ rows, columns, at: (y, x) => [image, y, x, c] }), "channels");
  }
  if (inner.length === 4 && !quantity.batch) {
    const [rows, columns, channels, filters] = inner;
    const tile = (i) => ({ rows, columns, at: (y, x) => [y, x, Math.floor(i / filters), i % filters] });
    const sheet = limited(channels * filters, tile, "slices, a row for each channel and a column for each filter", filters > 16 ? 256 : 512);
    return { ...sheet, across: filters <= 64 ? filters : 0 };
  }
  if (inner.length === 2) {
    const [rows, columns] = inner;
    return { tiles: [{ rows, columns, at: (y, x) => [...first, y, x] }], across: 1, note: "" };
  }
  const count = inner.reduce((a, b) => a * b, 1);
  const start = first.length ? image * count : 0;
  return { tiles: [lines(count, (i) => quantity.where(start + i))], across: 1, note: "" };
}

/** @param {number} count @param {(i: number) => Tile} tile @param {string} what @returns {Sheet} */
function limited(count, tile, what, most = MOST_TILES) {
  const note = count > most ? `${most} of ${count} ${what}` : "";
  return { tiles: Array.from({ length: Math.min(count, most) }, (_, i) => tile(i)), across: 0, note };
}

/** How large the cells are, so that the sheet fits. @param {Sheet} sheet @param {number} width @returns {Layout} */
function layoutOf(sheet, width) {
  const { rows, columns } = sheet.tiles[0];
  const wanted = sheet.across || Math.ceil(Math.sqrt((sheet.tiles.length * rows) / columns));
  const across = Math.max(1, Math.min(wanted, sheet.tiles.length));
  const room = (width - GAP * (across - 1)) / (across * columns);
  const most = sheet.tiles.length === 1 && columns <= 12 && rows === 1 ? 62 : 18;
  const size = Math.max(1, Math.min(most, Math.floor(room)));
  return { sheet, size, across, wide: columns * size + GAP, high: rows * size + GAP };
}

/** Where a tile begins. @param {Layout} layout @param {number} i */
const cornerOf = ({ across, wide, high }, i) => [(i % across) * wide, Math.floor(i / across) * high];

/** @param {HTMLCanvasElement} canvas @param {Quantity} quantity @param {number} image @param {number} width */
function drawSheet(canvas, quantity, image, width) {
  const layout = layoutOf(sheetOf(quantity, image), width);
  const { sheet, size, across, wide, high } = layout;
  const { rows, columns } = sheet.tiles[0];
  canvas.width = across * wide - GAP;
  canvas.height = Math.ceil(sheet.tiles.length / across) * high - GAP;
  const context = canvas.getContext("2d");
  const scale = scaleOf(quantity);
  sheet.tiles.forEach((tile, i) => {
    const [left, top] = cornerOf(layout, i);
    context.imageSmoothingEnabled = false;
    const colourAt = (row, column) => {
      const at = tile.at(row, column);
      return at && colour(scale, quantity.get(...at));
    };
    context.drawImage(painted(rows, columns, colourAt), left, top, columns * size, rows * size);
    if (size >= 44) writeNumbers(context, tile, quantity, scale, left, top, size);
  });
  return layout;
}

const scratch = document.createElement("canvas");

/** A picture with a pixel for each place, where it has a colour. @param {number} rows @param {number} columns
 *  @param {(row: number, column: number) => number[] | null} colourAt */
function painted(rows, columns, colourAt) {
  scratch.width = columns;
  scratch.height = rows;
  const context = scratch.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (const [row, column] of placesOf([rows, columns])) {
    const rgb = colourAt(row, column);
    if (rgb) image.data.set([...rgb, 255], 4 * (row * columns + column));
  }
  context.putImageData(image, 0, 0);
  return scratch;
}

/** Numbers in the cells, where these are large. @param {any} context @param {Tile} tile @param {Quantity} quantity @param {Scale} scale */
function writeNumbers(context, tile, quantity, scale, left, top, size) {
  context.font = "12px ui-monospace, Menlo, Consolas, monospace";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let column = 0; column < tile.columns; column++) {
    const x = quantity.get(...tile.at(0, column));
    const [r, g, b] = colour(scale, x);
    context.fillStyle = 0.3 * r + 0.6 * g + 0.1 * b > 140 ? "#000" : "#fff";
    const words = x && Math.abs(x) < 0.01 ? x.toExponential(1).replaceAll("-", "−") : digits(x, 3);
    context.fillText(words, left + (column + 0.5) * size, top + size / 2, size - 6);
  }
}

/** The place in the quantity under a point of the canvas; null between tiles. @param {Layout} layout */
function placeAt(layout, x, y) {
  const { sheet, size, across, wide, high } = layout;
  const { rows, columns } = sheet.tiles[0];
  const [right, down] = [Math.floor(x / wide), Math.floor(y / high)];
  const [column, row] = [Math.floor((x - right * wide) / size), Math.floor((y - down * high) / size)];
  const tile = sheet.tiles[down * across + right];
  return tile && right < across && column < columns && row < rows && column >= 0 && row >= 0 ? tile.at(row, column) : null;
}

/** A box around a place. @param {Layout} layout @param {number[]} at */
function mark(canvas, layout, at) {
  const { sheet, size } = layout;
  const context = canvas.getContext("2d");
  context.lineWidth = 2;
  sheet.tiles.forEach((tile, i) => {
    for (const [row, column] of placesOf([tile.rows, tile.columns])) {
      if (String(tile.at(row, column)) !== String(at)) continue;
      const [left, top] = cornerOf(layout, i);
      for (const [colour, out] of [["#000", 1], ["#fff", 3]]) {
        context.strokeStyle = colour;
        context.strokeRect(left + column * size - out, top + row * size - out, size + 2 * out, size + 2 * out);
      }
    }
  });
}
