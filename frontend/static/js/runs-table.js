// The header of the table of runs: columns are dragged to their place and to their width; pinned ones stay in sight.
// Order, widths and pins are the chooser's (columns.js): what is done here is done there, and sent.
const LEAST = 40, MOST = 800;
let left = 0; // how far the table is scrolled: another order of it stays there

export default function enhance(table) {
  const picker = document.querySelector("form[data-columns]");
  const itemOf = (name) => [...picker.querySelectorAll("[data-columns-chosen] > li")].find((item) => item.dataset.column === name);
  const scrolled = table.closest(".table-scroll");
  let dragged = "";
  scrolled.scrollLeft = left;
  requestAnimationFrame(() => setTimeout(() => table.classList.add("is-whole"))); // after the first rows are painted
  scrolled.addEventListener("scroll", () => (left = scrolled.scrollLeft), { passive: true });

  for (const head of table.querySelectorAll("th[data-column]")) {
    const name = head.dataset.column;
    head.draggable = true;
    head.addEventListener("dragstart", () => (dragged = name));
    head.addEventListener("dragover", (event) => dragged && event.preventDefault());
    head.addEventListener("drop", (event) => {
      event.preventDefault();
      const [item, over] = [itemOf(dragged), itemOf(name)];
      if (!item || !over || item === over) return;
      const box = head.getBoundingClientRect();
      over[event.clientX < box.left + box.width / 2 ? "before" : "after"](item);
      picker.requestSubmit();
    });
    const edge = Object.assign(document.createElement("span"), { className: "column-edge" });
    edge.addEventListener("mousedown", (event) => event.preventDefault()); // else the column itself is dragged along
    edge.addEventListener("pointerdown", (event) => resize(event, edge, head, name));
    head.append(edge);
  }

  function resize(event, edge, head, name) {
    const [start, before] = [event.clientX, head.getBoundingClientRect().width];
    const width = (moved) => Math.round(Math.max(LEAST, Math.min(MOST, before + moved.clientX - start)));
    const drag = (moved) => (head.width = width(moved));
    edge.setPointerCapture(event.pointerId);
    edge.addEventListener("pointermove", drag);
    edge.addEventListener("pointerup", (last) => {
      edge.removeEventListener("pointermove", drag);
      if (Math.abs(last.clientX - start) < 3 || !itemOf(name)) return;
      itemOf(name).querySelector("input[type=number]").value = width(last);
      picker.requestSubmit();
    }, { once: true });
  }

  const fixed = [...table.querySelectorAll("thead th.fixed")];
  const place = () => {
    let left = table.querySelector("tbody th[scope=row]")?.getBoundingClientRect().width ?? 0;
    fixed.forEach((head, at) => {
      table.style.setProperty(`--fixed-${at + 1}`, `${left}px`);
      left += head.getBoundingClientRect().width;
    });
  };
  if (fixed.length) new ResizeObserver(place).observe(table);
}
