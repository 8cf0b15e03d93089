// The file finder: asks the server while one types; arrows choose, Enter opens.
const PAUSE_MS = 120;

export default function enhance(form) {
  const input = form.querySelector("input");
  const list = document.querySelector("[data-finder-list]");
  let timer = 0;
  let latest = 0;
  let answered = Promise.resolve();

  function show(files) {
    list.replaceChildren(
      ...files.map((file) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = file.url;
        link.textContent = file.path;
        item.append(link);
        return item;
      }),
    );
    if (files.length) return choose(0);
    const item = document.createElement("li");
    item.className = "muted";
    item.textContent = "No file matches.";
    list.append(item);
  }

  function choose(index) {
    const links = [...list.querySelectorAll("a")];
    links.forEach((link) => delete link.dataset.chosen);
    const link = links[Math.max(0, Math.min(index, links.length - 1))];
    if (!link) return;
    link.dataset.chosen = "1";
    link.scrollIntoView({ block: "nearest" });
  }

  // The answer to what is typed, if it is still the one that is shown by then.
  async function ask() {
    clearTimeout(timer);
    timer = 0;
    const mine = (latest += 1);
    const answer = await fetch(`${form.dataset.finder}?q=${encodeURIComponent(input.value)}`, { headers: { Accept: "application/json" } });
    if (answer.ok && mine === latest) show((await answer.json()).files);
  }

  function act(key) {
    const links = [...list.querySelectorAll("a")];
    const at = links.findIndex((link) => link.dataset.chosen);
    if (key === "ArrowDown") choose(at + 1);
    else if (key === "ArrowUp") choose(at - 1);
    else if (links[at]) links[at].click();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => (answered = ask()), PAUSE_MS);
  });
  input.addEventListener("keydown", async (event) => {
    if (event.isComposing || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    event.preventDefault();
    if (timer) answered = ask();
    await answered; // keys go by the files of what is typed, not by those shown before it
    act(event.key);
  });
  if (input.value !== input.defaultValue) answered = ask(); // typed before this ran
}
