// The tree of changed files: its filter, what was folded or hidden (remembered in this browser), Escape for the drawer.
const KEY = "covey.files";

export default async function enhance(tree) {
  await completed(tree.querySelector("[data-whole]"));
  const files = tree.closest("[data-files]");
  const hide = document.querySelector("[data-tree-hide]");
  const kept = read();
  const folders = [...tree.querySelectorAll("details")];
  const pathOf = (folder) => {
    const names = [];
    for (let at = folder; at; at = at.parentElement.closest("details")) names.unshift(at.querySelector("summary").textContent);
    return names.join("/");
  };
  const nameOf = (item) => [pathOf(item.closest("details")), item.querySelector("a").textContent].filter(Boolean).join("/");
  const mine = `${files.dataset.files}:`;
  for (const folder of folders) {
    const name = mine + pathOf(folder);
    if (kept.folded.includes(name)) folder.open = false;
    folder.addEventListener("toggle", () => {
      if (input.value) return;
      kept.folded = kept.folded.filter((one) => one !== name);
      if (!folder.open) kept.folded = [...kept.folded, name].slice(-200);
      write(kept);
    });
  }

  const input = tree.querySelector("[data-filter-input]");
  let before = null;
  let names = null; // [item, its path in small letters], made when they are first asked for
  function filter() {
    const letters = input.value.trim().toLowerCase();
    before ??= folders.map((folder) => folder.open);
    folders.forEach((folder, n) => (folder.open = letters ? true : before[n]));
    if (!letters) before = null;
    names ??= [...tree.querySelectorAll("[data-file]")].map((item) => [item, nameOf(item).toLowerCase()]);
    for (const [item, name] of names) item.hidden = !name.includes(letters);
    for (const folder of folders) folder.parentElement.hidden = !folder.querySelector("[data-file]:not([hidden])");
  }
  input.addEventListener("input", filter);
  if (input.value) filter(); // typed before the tree was whole

  tree.addEventListener("pointerover", ({ target }) => {
    if (target.matches("[data-file] a")) target.title ||= nameOf(target.parentElement); // it may be cut
  });

  function showHidden() {
    files.classList.toggle("tree-hidden", kept.hidden);
    hide.setAttribute("aria-pressed", String(kept.hidden));
  }
  hide.hidden = false;
  hide.addEventListener("click", () => {
    kept.hidden = !kept.hidden;
    showHidden();
    write(kept);
  });
  showHidden();
  tree.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && location.hash === "#file-tree") location.hash = "#files";
  });
}

// Of many files the tree begins with the page's own, and stays so when the others cannot come.
async function completed(list) {
  if (!list) return;
  try {
    const answer = await fetch(list.dataset.whole);
    if (answer.ok) list.innerHTML = await answer.text();
  } catch {
    // The connection broke.
  }
}

function read() {
  try {
    return { folded: [], hidden: false, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return { folded: [], hidden: false }; // a browser that keeps nothing, or what it kept is broken
  }
}

function write(kept) {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // It is only not remembered.
  }
}
