// The page comes up: the index and the numbers first, then everything that shows them.

function drawHeader() {
  document.title = `${index.title}: ${index.kind}`;
  fill(byId("title"), index.title || "A tape");
  const last = index.loss === null ? null : quantities[index.loss];
  const loss = last && last.data && last.size === 1 ? `, loss ${digits(last.data[0], 6)}` : "";
  const of = index.batch ? ` on ${index.batch} of ${index.given} images` : "";
  fill(byId("kind"), `${index.kind}${of}${loss}. Every number here was computed by the code beside it; click one to check it.`);
  fill(byId("notes").querySelector("ul"), index.notes.map((note) => el("li", {}, note)));
}

function drawImages() {
  const images = inputImages();
  if (!index.batch || index.batch < 2) return;
  const buttons = Array.from({ length: index.batch }, (_, n) => {
    const loss = index.losses.length ? `loss ${digits(index.losses[n], 3)}` : `x[${index.images[n]}]`;
    const label = `image ${n}, place ${index.images[n]} of x, ${loss}`;
    const canvas = el("canvas", { "aria-hidden": "true" });
    if (images && images.data) drawInput(canvas, images, n);
    const chosen = shown.image === n;
    return el("button", { role: "radio", "aria-checked": String(chosen), "aria-label": label, title: label, onclick: () => show({ image: n, number: null }) }, images ? canvas : null, loss);
  });
  fill(byId("images"), buttons);
}

async function start() {
  try {
    await readPage();
    readStops();
    drawHeader();
    redraws.push(drawImages, drawTabs, drawValues, drawCheck, drawCost, drawCode);
    startGraph();
    startTransport();
    show({});
    document.documentElement.dataset.ready = "true";
  } catch (error) {
    const words = byId("failure");
    words.hidden = false;
    words.textContent = `This page could not be shown: ${error}`;
    throw error;
  }
}

start();
