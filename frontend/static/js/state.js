// The state of a page is its address. What a script changes goes there at once, into the form that carries it along,
// and into links that keep it ([data-keep]), so that whoever opens the address sees the same.
const KEPT = ["q", "columns", "colour", "logs", "from", "to", "x", "y", "by", "size", "better", "axis", "log", "logx", "smooth", "clip", "group"];

export const state = () => new URLSearchParams(location.search);

export function put(changes) {
  const now = state();
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === undefined) now.delete(name);
    else now.set(name, value);
    const field = document.querySelector(`#state input[name="${name}"]:not([type=checkbox])`);
    if (field && field.value !== String(value ?? "")) field.value = value ?? "";
  }
  history.replaceState(null, "", `?${now}`);
}

// What was left empty does not lengthen the address.
document.addEventListener("formdata", ({ formData, target }) => {
  if (target.id !== "state") return;
  for (const [name, value] of [...formData]) if (value === "" || (name === "smooth" && value === "0")) formData.delete(name);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-keep]");
  if (!link) return;
  const address = new URL(link.href), now = state();
  for (const name of KEPT) {
    if (now.has(name)) address.searchParams.set(name, now.get(name));
    else address.searchParams.delete(name);
  }
  link.href = address;
}, true);
