// A region of an image, drawn with the pointer over it; the four number fields say the same, and work without this.
export default function enhance(form) {
  const canvas = form.querySelector("[data-region-canvas]");
  const drawn = form.querySelector("[data-region-drawn]");
  const fields = ["x", "y", "w", "h"].map((name) => form.querySelector(`[data-region-${name}]`));
  if (fields.includes(null)) return;
  let start = null;

  fields.forEach((field) => field.addEventListener("input", draw));
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("a")) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    start = at(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = at(event);
    const corner = [0, 1].map((n) => Math.min(start[n], end[n]));
    const size = [0, 1].map((n) => Math.abs(start[n] - end[n]));
    [...corner, ...size].forEach((value, n) => (fields[n].value = (100 * value).toFixed(2)));
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (start = null));
  draw();

  function at(event) {
    const box = canvas.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  function draw() {
    const names = ["x", "y", "width", "height"];
    fields.forEach((field, n) => drawn.setAttribute(names[n], Math.min(1, Math.max(0, Number(field.value) / 100))));
  }
}
