// The right side: the functions that ran, and why this kernel; the derivative below its forward, as in the files.

/** @param {number | null} source */
function listing(source) {
  if (source === null) return faint("Python knows no text of it.");
  const { file, line, name, text, colours } = index.sources[source];
  return el("div", {}, el("p", { class: "place" }, placeOf(file, line), ` ${name}`), python(text, colours));
}

/** What a docstring says: the formula. @param {number | null} source */
const about = (source) => (source !== null && index.sources[source].about ? el("p", { class: "formula" }, index.sources[source].about) : null);

/** A file and line; a link to the editor where the page was made to be opened on its own machine. */
function placeOf(file, line) {
  const words = `${file}:${line}`;
  const folder = index.folders && index.folders[file.split("/")[0]];
  return folder ? el("a", { href: `vscode://file${folder}/${file.split("/").slice(1).join("/")}:${line}` }, words) : words;
}

/** What was given, with the shapes of this very call. @param {[string, number | null, any][]} inputs @param {any} settings */
function argumentsOf(inputs, settings) {
  const given = inputs.map(([name, q, value]) => {
    const quantity = q === null ? null : quantities[q];
    const words = quantity ? `${times(quantity.shape)} ${quantity.dtype}  ${quantity.name}` : value === null ? "none" : String(value);
    return [el("dt", {}, name), el("dd", {}, words)];
  });
  const rest = Object.entries(settings).map(([name, value]) => [el("dt", {}, `${name}=`), el("dd", {}, JSON.stringify(value))]);
  return el("dl", {}, given.flat(), rest.flat());
}

/** @param {any} kernel */
function kernelBlock(kernel) {
  const work = `${short(kernel.flops, "FLOPs")}, ${short(kernel.bytes, "B")} moved`;
  return el(
    "details",
    { class: "card" },
    el("summary", {}, `kernel ${kernel.name}: `, el("small", {}, `${kernel.chosen}; ${work}`)),
    el("p", {}, `Why this one: ${kernel.why}.`),
    about(kernel.about),
    el("h3", {}, `What ran: ${kernel.chosen}`),
    listing(kernel.source),
    kernel["reference source"] === kernel.source ? null : [el("h3", {}, `The reference: ${kernel.reference}`), listing(kernel["reference source"])],
  );
}

function drawCode() {
  const { phase, operation } = stops[shown.stop];
  const backwards = phase === "backward";
  const forward = el(
    "div",
    { class: `forward-code${backwards ? "" : " now"}` },
    el("h3", {}, phase === "update" ? `Update: ${operation.name}` : `Forward: ${operation.name}`),
    about(operation.source),
    argumentsOf(operation.inputs.map((one) => [one.name, one.q, one.value]), operation.settings),
    listing(operation.source),
    operation.kernels.map(kernelBlock),
  );
  fill(byId("code"), el("h2", {}, "Code"), el("div", { class: "both" }, forward, phase === "update" ? null : derivative(operation, backwards)));
}

/** @param {Operation} operation @param {boolean} now */
function derivative(operation, now) {
  const { rule } = operation;
  if (!rule) return el("div", { class: "backward-code" }, el("h3", {}, "Derivative"), faint("No gradient came here: nothing that is trained lies before it, or the loss goes another way."));
  const given = rule.upstream.map((q) => ["grad", q, null]).concat(operation.kept.map((one) => [one.name, one.q, "a number"]));
  return el(
    "div",
    { class: `backward-code${now ? " now" : ""}` },
    el("h3", {}, `Derivative of ${operation.name}`),
    argumentsOf(given, {}),
    rule.sources.map(({ by, source }) => [faint(`by ${by}`), listing(source)]).flat(),
    faint("vjp, joint_vjp: vector-Jacobian product, of one input or of several: the chain rule's step, from grad, the gradient of the output, to those of the inputs."),
    operation.kept.length ? el("p", {}, "Kept until then: ", operation.kept.map((one) => `${one.name}, ${short(one.bytes, "B")} (${one.why})`).join("; "), ".") : null,
    rule.kernels.map(kernelBlock),
  );
}
