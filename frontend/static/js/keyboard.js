// Single-key shortcuts: any element may carry data-key="t"; pressing it focuses a field or follows a link.
// "g c" style pairs are written data-key="g c". "?" opens the dialog that lists them all.

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function fill(dialog) {
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  for (const element of document.querySelectorAll("[data-key]")) {
    const term = document.createElement("dt");
    const key = document.createElement("kbd");
    key.textContent = element.dataset.key;
    term.append(key);
    const text = document.createElement("dd");
    text.textContent = element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim();
    list.append(term, text);
  }
}

export default function enhance(dialog) {
  let first = "";
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("input[data-key]")) event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "?") {
      fill(dialog);
      dialog.showModal();
      return;
    }
    const pair = first ? `${first} ${event.key}` : "";
    first = event.key === "g" && !first ? "g" : "";
    const wanted = pair || event.key;
    const element = [...document.querySelectorAll("[data-key]")].find((candidate) => candidate.dataset.key === wanted);
    if (!element) return;
    event.preventDefault();
    if (element.matches("input, textarea, select")) element.focus();
    else element.click();
  });
}
