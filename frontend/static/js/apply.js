// "Apply the ticked suggestions" shows while any is ticked; their boxes stand elsewhere and name this form.
export default function enhance(form) {
  const tell = () => form.classList.toggle("is-ticked", [...form.elements].some((box) => box.checked));
  const changed = ({ target }) => (form.isConnected ? target.form === form && tell() : document.removeEventListener("change", changed));
  document.addEventListener("change", changed);
  tell();
}
