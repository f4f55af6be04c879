// The step as a tree: forward down the left rail, and at the same height, up the right one, the derivative.

/** @typedef {{title: string, forward: number | null, backward: number | null, update: number | null, layer: string}} Row */

/** @type {Row[]} */
let rows = [];

/** The rows of a level. At the level of layers a row is what one layer does. @returns {Row[]} */
function rowsOf(level) {
  const backwards = new Map();
  stops.forEach((stop, i) => stop.phase === "backward" && backwards.set(stop.number, i));
  /** @type {Row[]} */
  const found = [];
  stops.forEach((stop, i) => {
    const { phase, number, operation } = stop;
    if (phase === "backward") return;
    const last = found[found.length - 1];
    const update = phase === "update";
    const layer = update ? "update of the weights" : operation.layer;
    const backward = backwards.has(number) ? backwards.get(number) : null;
    if (level === "layer" && !update && last && last.layer === layer && last.update === null) {
      last.forward = i; // what the layer gives; its derivative ends with that of its first operation
      if (last.backward === null) last.backward = backward;
      return;
    }
    const title = update ? titleOf(stop) : level === "layer" ? layerName(layer) : operation.name;
    found.push({ title, forward: update ? null : i, backward, update: update ? i : null, layer });
  });
  return found;
}

/** The stops of the walk at the present level, in their order. */
function stopsOfLevel() {
  const chosen = new Set(rows.flatMap((row) => [row.forward, row.backward, row.update]));
  return stops.map((_, i) => i).filter((i) => chosen.has(i));
}

/** What a stop is about, in a line: the shape of what it makes. @param {number} i */
function shapeLine(i) {
  const [first] = quantitiesAt(stops[i]).made;
  return first ? times(first.shape) : "";
}

/** @param {number | null} i @param {string} title @param {string} kind */
function stopItem(i, title, kind) {
  if (i === null) return el("div", { class: "stop none", role: "none" }, kind === "backward" ? "no gradient" : "");
  const words = kind === "backward" ? `∂ ${title}` : title;
  const choose = () => show({ stop: i, tab: shown.tab === "cost" ? "values" : shown.tab });
  return el(
    "div",
    {
      class: `stop ${kind}`, role: "treeitem", tabindex: -1, "data-stop": i, "aria-level": shown.level === "layer" ? 1 : 2,
      onclick: choose,
    },
    el("span", { class: "unseen" }, `${kind} `),
    words.split(/(?<=_)/).flatMap((part) => [part, el("wbr")]),
    el("small", {}, shapeLine(i)),
  );
}

function drawGraph() {
  rows = rowsOf(shown.level);
  const items = [];
  let layer = null;
  let group = null;
  for (const row of rows) {
    const headed = shown.level === "operation" || row.update !== null;
    if (headed && (row.layer !== layer || !group)) {
      group = el("div", { role: "group" });
      const name = row.update !== null ? row.layer : layerName(row.layer);
      const info = index.layers.find((one) => one.path === row.layer);
      const words = info ? el("small", {}, ` ${info.kind}`) : null;
      items.push(el("div", { role: "treeitem", "aria-level": 1, "aria-expanded": "true", "aria-label": name }, el("span", { class: "heading" }, name, words), group));
    }
    layer = row.layer;
    const cells = row.update === null
      ? [stopItem(row.forward, row.title, "forward"), stopItem(row.backward, row.title, "backward")]
      : [stopItem(row.update, row.title, "update")];
    (headed ? group.append.bind(group) : items.push.bind(items))(el("div", { class: "row", role: "none" }, cells));
  }
  fill(byId("tree"), items);
  markStop();
}

function markStop() {
  const tree = byId("tree");
  let chosen = null;
  for (const item of tree.querySelectorAll("[data-stop]")) {
    const here = Number(item.dataset.stop) === shown.stop;
    item.setAttribute("aria-selected", String(here));
    item.tabIndex = here ? 0 : -1;
    item.classList.toggle("later", Number(item.dataset.stop) > shown.stop);
    if (here) chosen = item;
  }
  if (chosen) scrollToItem(chosen);
  else if (tree.querySelector("[data-stop]")) tree.querySelector("[data-stop]").tabIndex = 0;
}

/** Scrolls the tree alone, and not the page, so that an item is seen. @param {HTMLElement} item */
function scrollToItem(item) {
  const graph = byId("graph");
  const [box, all] = [item.getBoundingClientRect(), graph.getBoundingClientRect()];
  if (box.top < all.top + 30) graph.scrollTop -= all.top + 60 - box.top;
  else if (box.bottom > all.bottom - 20) graph.scrollTop += box.bottom - all.bottom + 60;
}

/** Up and down within the tree, and between the rails. @param {KeyboardEvent} event */
function walkTree(event) {
  const items = [...byId("tree").querySelectorAll("[data-stop]")];
  const here = items.indexOf(/** @type {any} */ (document.activeElement));
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (here < 0) return;
  if (move) items[Math.max(0, Math.min(items.length - 1, here + move))].focus();
  else if (event.key === "Enter") items[here].click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function startGraph() {
  const levels = byId("levels");
  const choice = (level) => {
    const choose = () => {
      show({ level });
      drawGraph();
      drawLevels();
    };
    return button(`${level}s`, choose, { "aria-pressed": String(shown.level === level) });
  };
  const drawLevels = () => fill(levels, ["layer", "operation"].map(choice));
  drawLevels();
  drawGraph();
  byId("tree").addEventListener("keydown", walkTree);
  redraws.push(markStop);
}
