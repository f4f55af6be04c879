// The page comes up: the index and the numbers first, then everything that shows them.
//
//   data      the index, and quantities, which have the numbers      dom      elements; Python in colours
//   state     the stop, image and number that are shown; show() sets them, and all that is in `redraws` draws anew
//   graph     the step as a tree              transport  the walk      code  the functions, kernels and why
//   values    quantities as pictures: colours, maps (contact sheets), field (receptive fields)
//   check     how one number was made; check_forward and check_backward have a function for each operation
//   cost      FLOPs and bytes
//
// All files are one script, in the order of explorer/page.py. A panel for another operation is an entry of FORWARD,
// BACKWARD or UPDATE: it returns the sums and steps that lead to a number, their value, and the same in NumPy;
// tests/explorer/test_check.py compares both with what the kernels gave.

function drawHeader() {
  document.title = `${index.title}: ${index.kind}`;
  fill(byId("title"), index.title || "A tape");
  const last = index.loss === null ? null : quantities[index.loss];
  const loss = last && last.data && last.size === 1 ? `, loss ${digits(last.data[0], 6)}` : "";
  const of = index.batch ? ` on ${index.batch} of ${index.given} images` : "";
  fill(byId("kind"), `${index.kind}${of}${loss}.`);
  fill(byId("notes").querySelector("ul"), index.notes.map((note) => el("li", {}, note)));
}

function drawImages() {
  const images = inputImages();
  if (!index.batch || index.batch < 2) return;
  const each = quantities.findLast((one) => one.data && one.batch && one.shape.length === 1 && one.by && one.by[0] === "forward" && !operations[one.by[1]].layer);
  const buttons = Array.from({ length: index.batch }, (_, n) => {
    const before = index.losses.length ? digits(index.losses[n], 3) : "";
    const now = each && `${digits(each.get(n), 3)} in this step`;
    const loss = now ? (before ? `${now} (${before})` : now) : before || `x[${index.images[n]}]`;
    const label = `image ${n}, place ${index.images[n]} of x, ${loss}`;
    const canvas = el("canvas", { "aria-hidden": "true" });
    if (images && images.data) drawInput(canvas, images, n);
    const chosen = shown.image === n;
    return el("button", { role: "radio", "aria-checked": String(chosen), "aria-label": label, title: label, onclick: () => show({ image: n, number: null }) }, images ? canvas : null, loss);
  });
  fill(byId("images"), index.losses.length > 0 && el("small", {}, "losses (in inference: no dropout, moving averages):"), buttons);
}

async function start() {
  try {
    await readPage();
    readStops();
    drawHeader();
    if (index.drawn) startDrawing();
    startTabs();
    redraws.push(drawImages, drawValues, drawCheck, drawCost, drawCode);
    startGraph();
    startTransport();
    shown.stop = stopsOfLevel()[0] ?? 0;  // a layer may begin with another operation than the one that makes what it gives
    show({});
    document.documentElement.dataset.ready = "true";
    await compareAll();
    document.documentElement.dataset.compared = "true";
  } catch (error) {
    const words = byId("failure");
    words.hidden = false;
    words.textContent = `This page could not be shown: ${error}`;
    throw error;
  }
}

start();
