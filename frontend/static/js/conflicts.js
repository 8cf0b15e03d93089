// Who types a value of their own has chosen it.
export default function enhance(places) {
  places.addEventListener("input", (event) => {
    if (!event.target.matches(".place-text")) return;
    const radio = event.target.closest("label, .place-own").querySelector("input[type=radio]");
    if (radio) radio.checked = true;
  });
}
