// What was said about lines of a file: a mark beside each of them; and a way to comment on the lines that are chosen.
export default function enhance(found) {
  for (const link of found.querySelectorAll("[data-line]")) {
    const line = document.getElementById(`L${link.dataset.line}`);
    if (!line) continue;
    const mark = Object.assign(document.createElement("a"), { className: "line-mark", href: link.href, title: link.textContent, textContent: `#${link.dataset.issue}` });
    mark.setAttribute("aria-label", `Comment on ${link.textContent}`);
    line.append(mark);
  }
  if (!found.dataset.begin) return;
  const link = Object.assign(document.createElement("a"), { className: "button button-small line-comment", textContent: "Comment on these lines" });
  function follow() {
    const chosen = location.hash.match(/^#L(\d+)(?:-L?(\d+))?$/);
    link.hidden = !chosen;
    if (!chosen) return;
    const [start, line] = [Number(chosen[1]), Number(chosen[2] || chosen[1])].sort((a, b) => a - b);
    link.href = `${found.dataset.begin}&detail=${encodeURIComponent(JSON.stringify({ start, line }))}`;
  }
  found.append(link);
  addEventListener("hashchange", follow);
  document.querySelector("[data-lines]")?.addEventListener("click", () => setTimeout(follow));
  follow();
}
