// <details class="menu"> begins in its filter, if it has one, and closes on Escape and on a click elsewhere.
export default function enhance(menu) {
  document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
  menu.addEventListener("toggle", () => menu.open && menu.querySelector("[data-filter-input]")?.focus());
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
