// The ticked rows of a list, whose boxes name this form: how many there are, and one box that ticks them all.
export default function enhance(form) {
  const all = form.querySelector("[data-ticked-all]"), said = form.querySelector("[data-ticked-count]");
  const boxes = () => [...form.elements].filter((box) => box.name === "number");
  const tell = () => {
    const count = boxes().filter((box) => box.checked).length;
    all.checked = count > 0 && count === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
    said.textContent = count ? `${count} ticked` : "All";
  };
  all.closest("label").hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    tell();
  });
  document.addEventListener("change", (event) => event.target.form === form && event.target !== all && tell());
  window.addEventListener("pageshow", tell); // going back keeps what was ticked
  tell();
}
