// The file finder: asks the server while one types; arrows choose, Enter opens.
const PAUSE_MS = 120;

export default function enhance(form) {
  const input = form.querySelector("input");
  const list = document.querySelector("[data-finder-list]");
  let timer = 0;
  let latest = 0;

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

  async function ask() {
    const mine = (latest += 1);
    const answer = await fetch(`${form.dataset.finder}?q=${encodeURIComponent(input.value)}`, { headers: { Accept: "application/json" } });
    if (answer.ok && mine === latest) show((await answer.json()).files);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.findIndex((link) => link.dataset.chosen);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      clearTimeout(timer);
      latest += 1; // files that come late take away nothing that was chosen
      choose(at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && links[at]) {
      event.preventDefault();
      links[at].click();
    }
  });
  if (input.value !== input.defaultValue) ask(); // typed before this ran
}
