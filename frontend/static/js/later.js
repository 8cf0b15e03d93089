// Lines of a file, or the rest of them, that come later: when their place is seen (data-later="seen") or when somebody clicks. One observer
// for all of them: fifty elements of htmx with one each take longer than the page's first frame.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) load(target);
}, { rootMargin: "300px" });

export function load(link) {
  if (link.dataset.asked) return;
  link.dataset.asked = "1";
  seen.unobserve(link);
  htmx.ajax("GET", link.href, { source: link, target: link.closest(".diff-part, p"), swap: "outerHTML" });
}

export default function enhance(link) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    load(link);
  });
  if (link.dataset.later === "seen") seen.observe(link);
}
