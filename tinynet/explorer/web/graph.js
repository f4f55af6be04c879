// The step as a tree: forward down the left rail, and at the same height, up the right one, the derivative.

/** @typedef {{title: string, group: string, kind: string, forward?: number, backward?: number | null, update?: number}} Row */

/** The rows of the present level. @returns {Row[]} */
const rows = () => index.rows[shown.level];

/** The stops of the walk at the present level, in their order. */
function stopsOfLevel() {
  const chosen = new Set(rows().flatMap((row) => [row.forward, row.backward, row.update]));
  return stops.map((_, i) => i).filter((i) => chosen.has(i));
}

/** What a stop is about, in a line: the shape of what it makes. @param {Stop} stop */
const shapeLine = ({ made }) => (made.length ? times(quantities[made[0]].shape) : "");

/** @param {number | null} i @param {string} title @param {string} kind */
function stopItem(i, title, kind) {
  if (i === null) return el("div", { class: "stop none", role: "none" }, "no gradient");
  const words = kind === "backward" ? `∂ ${title}` : title;
  const choose = () => show({ stop: i, tab: shown.tab === "cost" ? "values" : shown.tab });
  return el(
    "div",
    { class: `stop ${kind}`, role: "treeitem", tabindex: -1, "data-stop": i, "aria-level": shown.level === "layer" ? 1 : 2, onclick: choose },
    el("span", { class: "unseen" }, `${kind} `),
    words.split(/(?<=_)/).flatMap((part) => [part, el("wbr")]),
    el("small", {}, shapeLine(stops[i])),
  );
}

function drawGraph() {
  const tree = byId("tree");
  fill(tree);
  let group = null;
  for (const row of rows()) {
    const update = row.update !== undefined;
    const headed = shown.level === "operation" || update;
    if (headed && (!group || group.title !== row.group)) {
      group = { title: row.group, inside: el("div", { role: "group" }) };
      tree.append(el("div", { role: "treeitem", "aria-level": 1, "aria-expanded": "true", "aria-label": row.group },
        el("span", { class: "heading" }, row.group, el("small", {}, ` ${row.kind}`)), group.inside));
    }
    const cells = update
      ? stopItem(row.update, row.title, "update")
      : [stopItem(row.forward, row.title, "forward"), stopItem(row.backward, row.title, "backward")];
    (headed ? group.inside : tree).append(el("div", { class: "row", role: "none" }, cells));
  }
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

function drawLevels() {
  const choose = (level) => {
    show({ level });
    drawGraph();
    drawLevels();
  };
  fill(byId("levels"), ["layer", "operation"].map((level) => button(`${level}s`, () => choose(level), { "aria-pressed": String(shown.level === level) })));
}

function startGraph() {
  drawLevels();
  drawGraph();
  byId("tree").addEventListener("keydown", walkTree);
  redraws.push(markStop);
}
