// Lines of source: #L3 and #L3-L9 mark them; a click on a number names the line, with Shift the range from the last.
function range() {
  const found = location.hash.match(/^#L(\d+)(?:-L?(\d+))?$/);
  if (!found) return null;
  const [start, end] = [Number(found[1]), Number(found[2] || found[1])];
  return { start: Math.min(start, end), end: Math.max(start, end) };
}

export default function enhance(code) {
  const line = (number) => document.getElementById(`L${number}`);
  function mark(scroll) {
    code.querySelectorAll(".selected").forEach((element) => element.classList.remove("selected"));
    const wanted = range();
    if (!wanted) return;
    for (let number = wanted.start; number <= wanted.end && line(number); number += 1) line(number).classList.add("selected");
    if (scroll) line(wanted.start)?.scrollIntoView({ block: "center" });
  }
  code.addEventListener("click", (event) => {
    const link = event.target.closest("a.line-number");
    if (!link) return;
    event.preventDefault();
    const number = Number(link.textContent);
    const last = range();
    const [start, end] = event.shiftKey && last ? [Math.min(last.start, number), Math.max(last.start, number)] : [number, number];
    history.replaceState(null, "", start === end ? `#L${start}` : `#L${start}-L${end}`);
    mark(false);
  });
  addEventListener("hashchange", () => mark(true));
  mark(true);
}
