// Completes the name that is being typed in a filter: words of the language at once, names of metrics, params and
// tags from the server (data-complete), which sends at most 50.
import { offered } from "./names.js";
import { written } from "./ranges.js";

const WORDS = ["metrics.", "params.", "tags.", "name", "status", "user", "experiment", "start", "end", "duration", "commit", "branch", "source", "script", "parent", "and", "or", "not", "like", "is null"];
const TYPED = /[^\s()'",`<>=!~]+$/;

async function found(url, typed) {
  const words = WORDS.filter((word) => word.startsWith(typed.toLowerCase()) && word !== typed);
  const names = await offered(url, typed);
  return [...words, ...names.filter((name) => name !== typed).map(written)].slice(0, 12);
}

export default function enhance(place) {
  const field = place.querySelector("input");
  const list = Object.assign(document.createElement("ul"), { id: "completions", className: "completions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Names");
  place.append(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" })) field.setAttribute(name, value);
  let chosen = -1, timer = 0, asked = 0;
  const settle = () => { clearTimeout(timer); asked++; }; // a list that comes late takes away nothing that was chosen

  const show = (names) => {
    list.replaceChildren(...names.map((name, i) => {
      const item = Object.assign(document.createElement("li"), { id: `completion-${i}`, textContent: name });
      item.setAttribute("role", "option");
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(name); });
      return item;
    }));
    list.hidden = !names.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    move(-1);
  };
  const move = (to) => {
    chosen = list.children.length ? Math.max(-1, Math.min(list.children.length - 1, to)) : -1;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
    if (chosen < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `completion-${chosen}`);
  };
  const take = (name) => {
    settle();
    const caret = field.selectionStart;
    const start = caret - (TYPED.exec(field.value.slice(0, caret))?.[0].length ?? 0);
    field.setRangeText(name.endsWith(".") ? name : `${name} `, start, caret, "end");
    show([]);
    field.focus();
    if (name.endsWith(".")) look();
  };
  const look = async () => {
    const typed = TYPED.exec(field.value.slice(0, field.selectionStart))?.[0];
    const mine = ++asked;
    const names = typed ? await found(place.dataset.complete, typed) : [];
    if (mine === asked && document.activeElement === field) show(names);
  };

  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 150); });
  if (field.value !== field.defaultValue) look(); // typed before this module was here
  field.addEventListener("blur", () => { settle(); show([]); });
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { settle(); move(chosen + (event.key === "ArrowDown" ? 1 : -1)); }
    else if (event.key === "Escape") { settle(); show([]); }
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(list.children[chosen].textContent);
    else return;
    event.preventDefault();
  });
}
