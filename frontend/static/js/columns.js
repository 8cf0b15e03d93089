// The chooser of columns: what is ticked moves to the chosen ones at once. Names come from the server, at most 50;
// a late answer changes nothing that was chosen meanwhile, and a box that it holds too stays the box it was.
export default function enhance(picker) {
  const field = picker.querySelector("[data-columns-find]");
  const chosen = picker.querySelector("[data-columns-chosen]");
  const found = picker.querySelector("[data-columns-found]");
  let timer = 0, asked = 0;
  const boxOf = (list, name) => [...list.querySelectorAll("input")].find((box) => box.value === name);

  const made = (name) => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "columns", value: name });
    const label = Object.assign(document.createElement("label"), { className: "field-check" });
    label.append(box, ` ${name}`);
    return label;
  };
  const show = (names) => {
    const kept = new Map([...found.querySelectorAll("input")].map((box) => [box.value, box.closest("label")]));
    const labels = names.filter((name) => !boxOf(chosen, name)).map((name) => kept.get(name) ?? made(name));
    for (const label of kept.values()) if (!labels.includes(label)) label.remove();
    labels.forEach((label, at) => found.children[at] === label || found.insertBefore(label, found.children[at] ?? null));
    picker.querySelector("[data-columns-none]").hidden = labels.length > 0;
  };
  const look = async () => {
    const mine = ++asked;
    const answer = await fetch(`${picker.dataset.columns}?name=${encodeURIComponent(field.value)}`, { headers: { Accept: "application/json" } });
    const names = answer.ok ? (await answer.json()).names : [];
    if (mine === asked) show(names);
  };

  found.addEventListener("change", (event) => {
    const label = event.target.closest("label");
    const next = label.nextElementSibling ?? label.previousElementSibling;
    const item = document.createElement("li");
    item.append(label);
    chosen.append(item);
    (next?.querySelector("input") ?? field).focus();
  });
  field.addEventListener("focus", look, { once: true });
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 150); });
}
