// What each operation costs, by the formulas: a table to sort.

const COLUMNS = [
  ["operation", (row) => row.title], ["layer", (row) => row.layer], ["makes", (row) => row.size],
  ["parameters", (row) => row.parameters], ["FLOPs", (row) => row.flops], ["bytes to move", (row) => row.bytes],
  ["bytes kept", (row) => row.kept], ["FLOPs per byte", (row) => row.intensity], ["kernel", (row) => row.kernel],
];
let sorted = { column: -1, down: true };

function costRows() {
  return stops.map((stop, i) => {
    const { phase, operation } = stop;
    const part = phase === "backward" ? operation.rule : operation;
    const weights = operation.inputs.filter((one) => one.q !== null && quantities[one.q].role === "weight");
    const [made] = quantitiesAt(stop).made;
    return {
      stop: i, phase, title: `${phase === "backward" ? "∂ " : ""}${operation.name}`, layer: phase === "update" ? quantities[operation.inputs[0].q].name : layerName(operation.layer),
      shape: made ? times(made.shape) : "", size: made ? made.size : 0,
      parameters: phase === "forward" ? weights.reduce((sum, one) => sum + quantities[one.q].size, 0) : 0,
      flops: part.flops, bytes: part.bytes, kept: phase === "forward" ? operation.kept.reduce((sum, one) => sum + one.bytes, 0) : 0,
      intensity: part.bytes ? part.flops / part.bytes : 0,
      kernel: part.kernels.map((kernel) => kernel.chosen).filter((name, i, all) => all.indexOf(name) === i).join(", "),
    };
  });
}

function drawCost() {
  const panel = byId("cost");
  if (panel.hidden) return;
  const all = costRows();
  const most = Math.max(1, ...all.map((row) => row.flops));
  if (sorted.column >= 0) {
    const key = COLUMNS[sorted.column][1];
    all.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (sorted.down ? -1 : 1));
  }
  const total = (name) => all.reduce((sum, row) => sum + row[name], 0);
  const head = COLUMNS.map(([name], column) => {
    const order = sorted.column === column ? (sorted.down ? "descending" : "ascending") : "none";
    const sort = () => {
      sorted = { column, down: sorted.column === column ? !sorted.down : true };
      drawCost();
    };
    return el("th", { scope: "col", "aria-sort": order }, el("button", { type: "button", onclick: sort }, name, order === "none" ? "" : sorted.down ? " ↓" : " ↑"));
  });
  const row = (one) => el(
    "tr", {},
    el("td", {}, el("button", { type: "button", class: "number", onclick: () => show({ stop: one.stop, tab: "values" }) }, one.title)),
    el("td", {}, one.layer), el("td", {}, one.shape), el("td", {}, one.parameters || ""),
    el("td", { class: "bar-cell" }, el("i", { style: `right:0;width:${((100 * one.flops) / most).toFixed(1)}%`, "aria-hidden": "true" }), el("span", { style: "position:relative" }, short(one.flops))),
    el("td", {}, short(one.bytes)), el("td", {}, one.kept ? short(one.kept) : ""), el("td", {}, digits(one.intensity, 3)), el("td", {}, one.kernel),
  );
  fill(
    panel,
    el("p", {}, `In all ${short(total("flops"))} FLOPs, ${short(total("bytes"))}B to move, ${short(total("kept"))}B kept for derivatives. `,
      "A multiply-add counts as two FLOPs. Bytes to move: every array that is given or made, once. Bytes kept: what waits for the derivative; an array that two operations keep counts twice."),
    el("div", { class: "scroll", style: "max-height:none", tabindex: 0, role: "region", "aria-label": "Cost" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, all.map(row)))),
  );
}
