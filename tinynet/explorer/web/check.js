// Check this number: how one number was computed, from numbers that can be checked themselves.

function drawCheck() {
  const panel = byId("check");
  if (panel.hidden) return;
  fill(panel, el("p", {}, "Click a number: in a picture under Values, or in a table here."));
}
