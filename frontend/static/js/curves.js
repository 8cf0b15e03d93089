// The bar above the curves of a comparison: what it says goes into the address and to every chart at once.
import { put, state } from "./state.js";

const REFETCH = new Set(["axis", "group"]);

// Whether somebody has set a control otherwise than the page came with it, and is not at it any more.
function isSet(field) {
  if (field === document.activeElement) return false; // it will tell itself
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.defaultSelected && !option.selected);
  if (field.type === "range") return Number(field.value) !== Number(field.defaultValue);
  return field.value !== field.defaultValue;
}

export default function enhance(section) {
  const redraw = (fetched) => {
    for (const figure of section.querySelectorAll("[data-chart]")) figure.dispatchEvent(new CustomEvent("redraw", { detail: { fetched } }));
  };
  const zoomOut = section.querySelector("[data-zoom-out]");
  const zoomed = (ends) => {
    put({ from: ends?.[0], to: ends?.[1] });
    zoomOut.hidden = !ends;
    redraw(true);
  };
  const changed = ({ target }) => {
    if (!["axis", "group", "log", "logx", "smooth", "clip"].includes(target.name)) return;
    const value = target.type === "checkbox" ? (target.checked ? target.value : "") : target.value;
    put({ [target.name]: value === "0" ? "" : value, ...(target.name === "axis" ? { from: "", to: "" } : {}) });
    if (target.name === "axis") zoomOut.hidden = true;
    redraw(REFETCH.has(target.name));
  };
  section.addEventListener("change", changed);
  section.addEventListener("input", (event) => {
    if (event.target.name !== "smooth") return;
    section.querySelector("[data-smooth]").value = event.target.value;
    changed(event);
  });
  section.addEventListener("zoomed", ({ detail }) => zoomed(detail));
  zoomOut.addEventListener("click", () => zoomed(null));
  zoomOut.hidden = !(state().get("from") && state().get("to"));
  document.addEventListener("filtered", () => redraw(true));
  // Set before this module was here, or kept by the browser over a reload.
  for (const field of section.querySelectorAll(".curves-tools input, .curves-tools select")) if (isSet(field)) changed({ target: field });
}
