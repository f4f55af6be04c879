// What each operation costs, by the formulas: a table to sort.

const COLUMNS = [
  ["operation", (row) => row.title], ["layer", (row) => row.layer], ["FLOPs", (row) => row.flops],
  ["bytes to move", (row) => row.bytes], ["bytes kept", (row) => row.kept], ["parameters", (row) => row.parameters],
  ["makes", (row) => row.size], ["FLOPs per byte", (row) => row.intensity], ["kernel", (row) => row.kernel],
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
      kernel: [...new Set(part.kernels.map((kernel) => kernel.chosen))].join(", "),
    };
  });
}

function drawCost() {
  const panel = byId("cost");
  if (panel.hidden) return;
  const all = costRows();
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
    return el("th", { scope: "col", "aria-sort": order }, button(name + (order === "none" ? "" : sorted.down ? " ↓" : " ↑"), sort));
  });
  const row = (one) => el(
    "tr", {},
    el("td", {}, button(one.title, () => show({ stop: one.stop, tab: "values" }), { class: "number" })),
    [one.layer, short(one.flops), short(one.bytes), one.kept ? short(one.kept) : "", one.parameters || "", one.shape, digits(one.intensity, 3), one.kernel].map((words) => el("td", {}, words)),
  );
  fill(
    panel,
    el("p", {}, `In all ${short(total("flops"), "FLOPs")}, ${short(total("bytes"), "B")} to move, ${short(total("kept"), "B")} kept for derivatives. `,
      "A multiply-add counts as two FLOPs. Bytes to move: every array that is given or made, once. Bytes kept: what waits for the derivative; an array that two operations keep counts twice."),
    el("div", { class: "scroll", style: "max-height:none", tabindex: 0, role: "region", "aria-label": "Cost" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, all.map(row)))),
  );
}
