// <details class="menu"> begins in its filter, if it has one, and closes on Escape and on a click elsewhere.
export default function enhance(menu) {
  const elsewhere = (event) => {
    if (!menu.isConnected) document.removeEventListener("click", elsewhere); // its part of the page was replaced
    else if (!menu.contains(event.target)) menu.open = false;
  };
  document.addEventListener("click", elsewhere);
  menu.addEventListener("toggle", () => menu.open && menu.querySelector("[data-filter-input]")?.focus());
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
