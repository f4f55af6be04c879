// The walk: forward, loss, backward, update, one stop after the other.

/** @type {number | null} */
let timer = null;
// milliseconds
const PACE = 1100;

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
  const [slider, words, player] = ["slider", "where", "player"].map(byId);
  slider.max = Math.max(0, places.length - 1);
  slider.value = place;
  slider.setAttribute("aria-valuetext", titleOf(stop));
  words.setAttribute("aria-live", timer === null ? "polite" : "off");
  fill(words, `${place + 1} of ${places.length}: ${stop.phase} `, el("b", {}, titleOf(stop)));
  fill(player, timer === null ? "▷" : "||");
  player.setAttribute("aria-label", timer === null ? "play" : "pause");
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

/** Who chooses something while it plays wants to stay there. @param {any} event */
function pause({ type, target, key }) {
  const chosen = type !== "keydown" || key === "Enter";
  if (timer !== null && (key === "Escape" || (chosen && target !== byId("player")))) play(false);
}

function startTransport() {
  const to = (place) => goTo(stopsOfLevel().at(place));
  const acts = { first: () => to(0), back: () => walk(-1), on: () => walk(1), last: () => to(-1) };
  for (const one of byId("transport").querySelectorAll("[data-to]")) one.addEventListener("click", acts[one.dataset.to]);
  byId("player").addEventListener("click", () => play(timer === null));
  byId("slider").addEventListener("input", (event) => to(Number(event.target.value)));
  document.addEventListener("keydown", pressed);
  for (const type of ["pointerdown", "click", "keydown"]) document.addEventListener(type, pause, true);
  redraws.push(drawTransport);
}
