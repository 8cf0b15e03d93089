// "Viewed" answers at once; the hub is told behind it, and what it refuses is taken back.
export default function enhance(form) {
  const progress = document.querySelector("[data-viewed-progress]");
  const { action } = form;

  function show(button, viewed) {
    const section = button.closest(".diff-file");
    button.setAttribute("aria-pressed", String(viewed));
    button.formAction = action.replace(/\/(?:un)?viewed$/, viewed ? "/unviewed" : "/viewed");
    section.classList.toggle("is-viewed", viewed);
    section.classList.toggle("is-folded", viewed);
    document.querySelector(`[data-file="${section.id}"]`)?.toggleAttribute("data-viewed", viewed);
    const count = Number(progress.querySelector("[data-viewed-count]").textContent) + (viewed ? 1 : -1);
    progress.querySelector("[data-viewed-count]").textContent = count;
    progress.querySelector("progress").value = count;
  }

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button?.matches("[data-viewed-button]")) return;
    event.preventDefault();
    if (button.dataset.busy) return;
    button.dataset.busy = "1";
    const viewed = button.getAttribute("aria-pressed") !== "true";
    const data = new FormData(form, button);
    const address = button.formAction;
    show(button, viewed);
    try {
      const answer = await fetch(address, { method: "POST", body: data, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
    } catch {
      show(button, !viewed);
      button.title = "This could not be kept. Reload the page and try again.";
    }
    delete button.dataset.busy;
  });
}
