// The walk: forward, loss, backward, update, one stop after the other.

/** @type {number | null} */
let timer = null;
const PACE = 1100; // milliseconds

/** @param {number} by */
function walk(by) {
  const places = stopsOfLevel();
  const here = places.findIndex((i) => i >= shown.stop);
  const now = here < 0 ? places.length - 1 : here;
  const exact = places[now] === shown.stop;
  const next = exact || by < 0 ? now + by : now;
  goTo(places[Math.max(0, Math.min(places.length - 1, next))]);
  if (next >= places.length) play(false);
}

/** @param {number} stop */
const goTo = (stop) => show({ stop, number: null, trail: [], tab: "values" });

/** @param {boolean} on */
function play(on) {
  if (timer !== null) clearInterval(timer);
  timer = on ? setInterval(() => walk(1), PACE) : null;
  drawTransport();
}

function drawTransport() {
  const places = stopsOfLevel();
  const place = Math.max(0, places.findIndex((i) => i >= shown.stop));
  const stop = stops[shown.stop];
  const press = (words, name, act) => button(words, act, { title: name, "aria-label": name });
  const footer = byId("transport");
  const focused = document.activeElement && footer.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const slider = el("input", { type: "range", min: 0, max: Math.max(0, places.length - 1), value: place, "aria-label": "Stop", "aria-valuetext": titleOf(stop), oninput: (event) => goTo(places[Number(event.target.value)]) });
  const where = stop.phase === "update" ? "" : ` of ${layerName(stop.operation.layer)}`;
  fill(
    footer,
    press("|◀", "first stop", () => goTo(places[0])), press("◀", "one stop back", () => walk(-1)),
    press(timer === null ? "▷" : "||", timer === null ? "play" : "pause", () => play(timer === null)),
    press("▶", "one stop on", () => walk(1)), press("▶|", "last stop", () => goTo(places[places.length - 1])),
    slider,
    el("output", { "aria-live": timer === null ? "polite" : "off" }, `${place + 1} of ${places.length}: ${stop.phase} `, el("b", {}, titleOf(stop)), where),
  );
  if (focused) for (const one of footer.querySelectorAll("[aria-label]")) if (one.getAttribute("aria-label") === focused) one.focus();
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = target.matches("input[type=text], textarea, select");
  if (typing || event.altKey || event.ctrlKey || event.metaKey) return;
  const acts = { ArrowRight: () => walk(1), ArrowLeft: () => walk(-1) };
  if (event.key === " " && !target.matches("button, summary, input")) acts[" "] = () => play(timer === null);
  if (target.matches("input[type=range]") || !acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

function startTransport() {
  document.addEventListener("keydown", pressed);
  redraws.push(drawTransport);
}
