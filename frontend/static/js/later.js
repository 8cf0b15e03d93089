// Lines of a file, or the rest of them, that come later: when their place is seen (data-later="seen") or when somebody
// clicks. One observer for all of them: fifty elements of htmx with one each take longer than the page's first frame.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) load(target);
}, { rootMargin: "300px" });

export async function load(link) {
  if (link.dataset.asked) return;
  link.dataset.asked = "1";
  seen.unobserve(link);
  const place = link.closest("p"), part = link.closest(".diff-part");
  await htmx.ajax("GET", link.href, { source: link, ...(part ? rest(part) : { target: place, swap: "outerHTML" }) });
  if (link.dataset.failed) failed(link, place);
  else if (part) place.remove();
}

// The rows that are there stay: somebody may be writing between them.
function rest(part) {
  const target = part.querySelector("tbody");
  const rows = [...target.rows].filter((row) => !row.matches(".diff-beside")).length;
  return { target, swap: "beforeend", select: `tbody > tr:nth-child(${rows} of :not(.diff-beside)) ~ tr` };
}

function failed(link, place) {
  delete link.dataset.asked;
  delete link.dataset.failed;
  place.querySelector("[role=status]")?.remove();
  const words = Object.assign(document.createElement("span"), { className: "muted", textContent: " These lines did not come. Try again, or reload the page." });
  words.setAttribute("role", "status");
  place.append(words);
}

export default function enhance(link) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    load(link);
  });
  // What a refusal says is a page of its own, not lines.
  link.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status < 400) return;
    link.dataset.failed = "1";
    event.preventDefault();
  });
  link.addEventListener("htmx:error", () => (link.dataset.failed = "1"));
  if (link.dataset.later === "seen") seen.observe(link);
}
