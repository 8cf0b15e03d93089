// Lines of a diff have addresses: #diff-…R12, with Shift and a click #diff-…R12-R15. A file whose lines wait is loaded
// when the address names it; one on another page is found through the tree.
import { load } from "./later.js";

const NAMED = /^#(diff-[0-9a-f]{16})(?:([LR])(\d+)(?:-[LR](\d+))?)?$/;
const named = () => location.hash.match(NAMED);

export default function enhance(root) {
  function mark(scroll) {
    root.querySelectorAll(".diff-chosen").forEach((row) => row.classList.remove("diff-chosen"));
    const found = named();
    if (!found) return;
    const [, file, side, first, last] = found;
    const section = document.getElementById(file);
    if (!section) {
      const elsewhere = document.querySelector(`[data-file="${file}"] a[href^="?"]`);
      if (elsewhere) location.assign(elsewhere.getAttribute("href").replace(/#.*$/, location.hash));
      return;
    }
    section.classList.remove("is-folded");
    if (!side) return void (scroll && section.scrollIntoView());
    const [start, end] = [Number(first), Number(last || first)].sort((a, b) => a - b);
    let line = null;
    for (let number = end; number >= start && number > end - 2000; number -= 1) {
      const cell = document.getElementById(`${file}${side}${number}`);
      if (!cell) continue;
      cell.closest("tr").classList.add("diff-chosen");
      line = cell;
    }
    const waiting = section.querySelector("[data-later]");
    if (line && scroll) line.scrollIntoView({ block: "center" });
    else if (!line && waiting && !waiting.dataset.asked) {
      section.scrollIntoView();
      load(waiting);
    }
  }

  root.addEventListener("click", (event) => {
    const cell = event.target.closest("td.diff-number[id]");
    if (!cell) return;
    const [, file, side, number] = `#${cell.id}`.match(NAMED);
    const last = named();
    const ranges = event.shiftKey && last && last[1] === file && last[2] === side && last[3] !== number;
    history.replaceState(null, "", ranges ? `#${file}${side}${last[3]}-${side}${number}` : `#${cell.id}`);
    mark(false);
  });
  // Once its lines are here, a thread stands at its line; the same one below the file goes, but for what is typed in it.
  const settle = () => {
    for (const below of root.querySelectorAll(".diff-lost [id^='thread-']")) {
      const typed = [...below.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue);
      const at = root.querySelector(`.diff-beside [id="${below.id}"]`);
      if (at && !typed) below.remove();
    }
  };

  addEventListener("hashchange", () => mark(true));
  document.addEventListener("htmx:after:swap", settle);
  document.addEventListener("htmx:after:swap", () => mark(Boolean(named()?.[3]) && !root.querySelector(".diff-chosen")));
  mark(true);
}
