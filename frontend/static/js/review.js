// Comment on lines of the Files tab. By mouse: the + beside a line, dragged over a range. By keyboard: the arrows move
// through the lines of a file whose lines have the focus, Shift extends, Enter writes. The form comes from the server.
const CELL = "td.diff-number[id]";
const NAMED = /([LR])(\d+)$/;
const parse = (cell) => {
  const [, side, number] = cell.id.match(NAMED);
  return { side, number: Number(number), row: cell.closest("tr"), cell };
};

export default function enhance(root) {
  const plus = Object.assign(document.createElement("button"), { type: "button", className: "line-plus", textContent: "+", tabIndex: -1 });
  plus.setAttribute("aria-label", "Comment on this line");
  const said = Object.assign(document.createElement("p"), { className: "visually-hidden" });
  said.setAttribute("role", "status");
  root.append(said);
  let from = null; // where a range begins
  let to = null;

  function cellsOf(region, side) {
    return [...region.querySelectorAll(CELL)].filter((cell) => !side || parse(cell).side === side);
  }
  function mark() {
    root.querySelectorAll(".line-picked").forEach((row) => row.classList.remove("line-picked"));
    if (!from) return;
    const [start, end] = [from.number, to.number].sort((a, b) => a - b);
    for (const cell of cellsOf(from.row.closest("table"), from.side)) {
      const { number, row } = parse(cell);
      if (number >= start && number <= end) row.classList.add("line-picked");
    }
  }
  function pick(first, last) {
    [from, to] = [first, last];
    mark();
    if (first) said.textContent = `${first.side === "L" ? "Removed line" : "Line"} ${first.number === last.number ? last.number : `${first.number} to ${last.number}`}`;
  }

  async function open() {
    if (!from) return;
    const section = from.row.closest(".diff-file");
    const [start, line] = [from.number, to.number].sort((a, b) => a - b);
    const old = from.side === "L";
    const asked = new URLSearchParams({
      path: (old && section.dataset.oldPath) || section.getAttribute("aria-label"),
      rev: old ? root.dataset.base : root.dataset.head,
      side: old ? "old" : "new",
      start,
      line,
    });
    const last = document.getElementById(`${section.id}${from.side}${line}`).closest("tr");
    const row = document.createElement("tr");
    row.className = "diff-beside";
    const cell = row.insertCell();
    cell.colSpan = last.closest(".diff-split") ? 4 : 3;
    last.after(row);
    const region = last.closest(".diff-scroll");
    await htmx.ajax("GET", `${root.dataset.review}?${asked}`, { target: cell, swap: "innerHTML" });
    const text = cell.querySelector("textarea");
    text?.focus();
    cell.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.matches("[data-cancel]")) close();
      if (button?.matches("[data-suggest]")) suggest(button);
    });
    cell.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target.closest("[data-line-form]") && !event.target.value) close();
    });
    document.addEventListener("htmx:after:swap", function sent() {
      if (cell.querySelector("[data-line-form]")) return;
      document.removeEventListener("htmx:after:swap", sent);
      if (row.isConnected) pick(null, null);
    });
    function close() {
      row.remove();
      pick(null, null);
      region.focus();
    }
  }
  function suggest(button) {
    const text = button.closest("form").querySelector("textarea");
    const fence = "`".repeat(Math.max(3, ...[...button.dataset.suggest.matchAll(/`+/g)].map((found) => found[0].length + 1)));
    text.value += `${text.value && !text.value.endsWith("\n") ? "\n" : ""}${fence}suggestion\n${button.dataset.suggest}\n${fence}\n`;
    text.focus();
  }

  // Another tab may have added to the review, or submitted it.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !document.querySelector(".review-menu[open]")) htmx.trigger(document.body, "review-changed");
  });
  function offer(target) {
    const row = target?.closest?.("tr");
    if (!row || !root.contains(row) || row.matches(".diff-beside")) return;
    const cells = [...row.querySelectorAll(CELL)];
    if (!cells.length) return;
    const over = target.closest("td");
    // In a split view the side under the pointer counts.
    const cell = cells.find((one) => one === over || one.nextElementSibling === over) || cells.at(-1);
    if (plus.dataset.dragging) {
      const found = cells.map(parse).find((one) => one.side === from.side);
      if (found && row.closest("table") === from.row.closest("table")) pick(from, found);
      return;
    }
    (cell.nextElementSibling || cell).prepend(plus);
    plus.line = parse(cell);
  }
  root.addEventListener("pointerover", (event) => offer(event.target));
  offer(root.querySelector("td:hover")); // where the pointer rests since before this ran
  plus.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    plus.releasePointerCapture?.(event.pointerId);
    plus.dataset.dragging = "1";
    pick(plus.line, plus.line);
    addEventListener(
      "pointerup",
      () => {
        delete plus.dataset.dragging;
        open();
      },
      { once: true },
    );
  });
  root.addEventListener("keydown", (event) => {
    const region = event.target;
    if (!region.matches?.(".diff-scroll") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && from && region.contains(from.row)) {
      event.preventDefault();
      return void open();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const here = to && region.contains(to.row) ? to : null;
    const cells = cellsOf(region, event.shiftKey && here ? here.side : "");
    if (!cells.length) return;
    const at = here ? cells.indexOf(here.cell) : -1;
    const next = parse(cells[Math.min(Math.max(at + step, 0), cells.length - 1)]);
    pick(event.shiftKey && here ? from : next, next);
    next.row.scrollIntoView({ block: "nearest" });
  });
}
