// A field that hides the items of a menu which do not hold its letters.
export default function enhance(menu) {
  menu.querySelector("[data-filter-input]").addEventListener("input", (event) => {
    const letters = event.target.value.trim().toLowerCase();
    for (const item of menu.querySelectorAll("[data-filter-item]")) item.hidden = !item.textContent.toLowerCase().includes(letters);
  });
}
