// A field that hides the items of a menu which do not hold its letters.
export default function enhance(menu) {
  const field = menu.querySelector("[data-filter-input]");
  const filter = () => {
    const letters = field.value.trim().toLowerCase();
    for (const item of menu.querySelectorAll("[data-filter-item]")) item.hidden = !item.textContent.toLowerCase().includes(letters);
  };
  field.addEventListener("input", filter);
  if (field.value) filter(); // typed before this module was here
}
