// Who types a value of their own has chosen it.
export default function enhance(places) {
  const choose = (field) => {
    const radio = field.closest("label, .place-own").querySelector("input[type=radio]");
    if (radio) radio.checked = true;
  };
  places.addEventListener("input", ({ target }) => target.matches(".place-text") && choose(target));
  for (const field of places.querySelectorAll(".place-text")) if (field.value !== field.defaultValue) choose(field); // before this ran
}
