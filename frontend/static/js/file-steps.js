// From file to file (j, k), and v for the mark of the file one stands at.
export default function enhance(steps) {
  const root = document.getElementById("files");
  if (!root) return;
  steps.hidden = false;
  const sections = () => [...root.querySelectorAll(".diff-file")];
  let here = -1;

  function at() {
    const inside = sections().findIndex((section) => section.contains(document.activeElement));
    if (inside >= 0) return inside;
    return sections().findLastIndex((section) => section.getBoundingClientRect().top < 80);
  }

  function go(number) {
    const all = sections();
    const section = all[Math.max(0, Math.min(number, all.length - 1))];
    if (!section) return;
    section.scrollIntoView();
    section.focus({ preventScroll: true });
    for (const item of document.querySelectorAll("[data-here]")) delete item.dataset.here;
    const item = document.querySelector(`[data-file="${section.id}"]`);
    if (item) item.dataset.here = "";
    item?.scrollIntoView({ block: "nearest" });
  }

  for (const button of steps.querySelectorAll("[data-file-step]")) {
    button.addEventListener("click", () => {
      here = at();
      go(here + Number(button.dataset.fileStep));
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "v" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const section = sections()[Math.max(0, at())];
    section?.querySelector("[data-viewed-button]")?.click();
    section?.focus({ preventScroll: true });
  });
}
