// A form with data-unsaved asks before its text is lost by leaving the page; one that is no longer there was sent, or
// cancelled. A whole page in place of an answer (signed out, a proxy's error) does not replace the form either.
const PAGE = /^\s*<(?:!doctype|html)/i;

export default function enhance(form) {
  // The form may be a newer one around what was typed before: see hx-preserve.
  let changed = [...form.querySelectorAll("textarea")].some((text) => text.value !== text.defaultValue);
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  window.addEventListener("beforeunload", (event) => changed && form.isConnected && event.preventDefault());
  form.addEventListener("htmx:after:request", (event) => {
    const { response, text } = event.detail.ctx;
    if (response.status < 500 && !PAGE.test(text)) return;
    event.preventDefault();
    tell();
  });
  form.addEventListener("htmx:error", tell);

  function tell() {
    changed = true;
    form.querySelector("[data-not-sent]")?.remove();
    const words = Object.assign(document.createElement("p"), { className: "note note-bad", textContent: "This was not sent. Copy your text, reload the page and try again." });
    words.setAttribute("role", "alert");
    words.dataset.notSent = "";
    form.prepend(words);
  }
}
