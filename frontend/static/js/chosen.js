// The ticked runs of the table: how many there are, and that a form of their menu brings them along.
const boxes = () => [...document.querySelectorAll("input[name=run][form=compare]:checked")];
const ids = () => [...new Set(boxes().map((box) => box.value))];

export default function enhance(menu) {
  const count = menu.querySelector("[data-chosen-count]");
  const tell = () => (count.textContent = ids().length ? `${ids().length} ticked run${ids().length > 1 ? "s" : ""}` : "Tick runs in the table first.");
  const changed = () => (menu.isConnected ? tell() : document.removeEventListener("change", changed));
  document.addEventListener("change", changed);
  tell();
  for (const form of menu.querySelectorAll("[data-chosen-form]")) {
    form.addEventListener("formdata", (event) => ids().forEach((id) => event.formData.append("run", id)));
  }
}
