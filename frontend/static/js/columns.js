// The chooser of columns: what is ticked moves to the chosen ones at once. Names come from the server, at most 50;
// a late answer changes nothing that was chosen meanwhile, and a box that it holds too stays the box it was.
import { offered } from "./names.js";

const AGGREGATES = ["min", "max", "best", "best_step"];

export default function enhance(picker) {
  const find = (what) => picker.querySelector(`[data-columns-${what}]`);
  const [field, chosen, found] = [find("find"), find("chosen"), find("found")];
  let timer = 0, asked = 0;
  const itemOf = (name) => [...chosen.children].find((item) => item.dataset.column === name);

  function choose(name) {
    if (itemOf(name)) return;
    const item = find("item").content.firstElementChild.cloneNode(true);
    item.dataset.column = name;
    item.querySelector("[data-column-name]").textContent = name;
    for (const input of item.querySelectorAll("input")) {
      if (input.type === "checkbox") input.value = name;
      else input.name = `width.${name}`;
    }
    for (const one of item.querySelectorAll("[aria-label]")) one.setAttribute("aria-label", one.getAttribute("aria-label").replace("  ", ` ${name} `));
    chosen.append(item);
  }

  function made(name) {
    const line = document.createElement("div");
    const label = Object.assign(document.createElement("label"), { className: "field-check" });
    label.append(Object.assign(document.createElement("input"), { type: "checkbox", value: name }), ` ${name}`);
    line.append(label);
    line.dataset.name = name;
    if (!name.startsWith("metrics.")) return line;
    for (const aggregate of AGGREGATES) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "button-link", textContent: aggregate.replace("_", " ") });
      button.dataset.add = `${name.replace(/:last$/, "")}:${aggregate}`;
      button.setAttribute("aria-label", `Add ${aggregate.replace("_", " ")} of ${name}`);
      line.append(" ", button);
    }
    return line;
  }

  function show(names) {
    const kept = new Map([...found.children].map((line) => [line.dataset.name, line]));
    const lines = names.filter((name) => name.startsWith("metrics.") || !itemOf(name)).map((name) => kept.get(name) ?? made(name));
    for (const line of kept.values()) if (!lines.includes(line)) line.remove();
    lines.forEach((line, at) => found.children[at] === line || found.insertBefore(line, found.children[at] ?? null));
    for (const line of lines) line.querySelector("label").hidden = Boolean(itemOf(line.dataset.name));
    find("none").hidden = lines.length > 0;
  }

  async function look() {
    const mine = ++asked, typed = field.value.trim();
    const attributes = picker.dataset.columnsAttributes.split(" ").filter((name) => name.includes(typed.toLowerCase()));
    const names = await offered(picker.dataset.columns, typed);
    if (mine === asked) show([...attributes, ...names]);
  }

  found.addEventListener("change", (event) => {
    const line = event.target.closest("[data-name]");
    const next = line.nextElementSibling ?? line.previousElementSibling;
    choose(line.dataset.name);
    (next?.querySelector("input, button") ?? field).focus();
    if (line.querySelector("button")) { event.target.checked = false; line.querySelector("label").hidden = true; }
    else line.remove();
  });
  found.addEventListener("click", (event) => event.target.dataset.add && choose(event.target.dataset.add));
  field.addEventListener("focus", look, { once: true });
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 150); });
  field.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  if (field.value) look(); // typed before this module was here

  chosen.addEventListener("click", (event) => {
    const by = Number(event.target.closest("[data-column-move]")?.dataset.columnMove);
    if (!by) return;
    move(event.target.closest("li"), by);
    event.target.focus();
  });
  const move = (item, by) => (by < 0 ? item.previousElementSibling?.before(item) : item.nextElementSibling?.after(item));
  let dragged = null;
  chosen.addEventListener("dragstart", (event) => (dragged = event.target.closest("li")));
  chosen.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged || !over) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    if (over !== dragged) over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
  });
  chosen.addEventListener("dragend", () => (dragged = null));
  chosen.addEventListener("drop", (event) => event.preventDefault());
}
