// What each operation costs, by the formulas: a table to sort.

/** @type {[string, (stop: Stop) => any, ((stop: Stop) => string)?][]} heading, what to sort by, what to show */
const COLUMNS = [
  ["operation", (stop) => stop.title], ["layer", (stop) => stop.layer],
  ["FLOPs", (stop) => stop.flops, (stop) => short(stop.flops)], ["bytes to move", (stop) => stop.bytes, (stop) => short(stop.bytes)],
  ["bytes kept", (stop) => stop.kept, (stop) => (stop.kept ? short(stop.kept) : "")], ["parameters", (stop) => stop.parameters || ""],
  ["makes", (stop) => (stop.made.length ? quantities[stop.made[0]].size : 0), (stop) => shapeLine(stop)],
  ["FLOPs per byte", (stop) => (stop.bytes ? stop.flops / stop.bytes : 0), (stop) => (stop.bytes ? digits(stop.flops / stop.bytes, 3) : "0")],
  ["kernel", (stop) => stop.kernel],
];
let sorted = { column: -1, down: true };

function drawCost() {
  if (byId("cost").hidden) return;
  const all = [...stops];
  if (sorted.column >= 0) {
    const key = COLUMNS[sorted.column][1];
    all.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (sorted.down ? -1 : 1));
  }
  const total = (name) => all.reduce((sum, stop) => sum + stop[name], 0);
  const head = COLUMNS.map(([name], column) => {
    const here = sorted.column === column;
    const sort = () => {
      sorted = { column, down: !here || !sorted.down };
      drawCost();
    };
    const order = here ? (sorted.down ? "descending" : "ascending") : "none";
    return el("th", { scope: "col", "aria-sort": order }, button(name + (here ? (sorted.down ? " ↓" : " ↑") : ""), sort));
  });
  const row = (stop) => COLUMNS.map(([, value, words = value], column) =>
    el("td", {}, column ? String(words(stop)) : button(stop.title, () => show({ stop: stops.indexOf(stop), tab: "values" }), { class: "number" })));
  fill(byId("total-cost"), `In all ${short(total("flops"), "FLOPs")}, ${short(total("bytes"), "B")} to move, ${short(total("kept"), "B")} kept for derivatives.`);
  fill(byId("costs"), table("Cost", head, all.map(row), { style: "max-height:none" }));
}
