// A table that follows what happens: asks for its version, and where that changed takes the new parts of the page.
// It waits while the page is out of sight and while something is ticked, typed or opened; an answer that comes after
// that is dropped, so that it never undoes what somebody did.
const EVERY_MS = 5000;

export default function enhance(table) {
  let seen = "", asking = false;
  const busy = () =>
    document.hidden ||
    document.querySelector("main details.menu[open], input[name=run]:checked") ||
    document.activeElement?.closest("main input, main select, main textarea, [data-live-part]");

  async function look() {
    if (asking || (seen && busy())) return;
    asking = true;
    try {
      const answer = await fetch(`${table.dataset.live}?seen=${seen}`, { headers: { Accept: "application/json" } });
      if (answer.status !== 200) return;
      const { version } = await answer.json();
      if (!seen || (await renew())) seen = version;
      table.dataset.following = ""; // from here on
    } catch { /* the connection broke: the next look asks again */
    } finally {
      asking = false;
    }
  }

  async function renew() {
    const here = location.href;
    const answer = await fetch(here, { headers: { Accept: "text/html" } });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (busy() || location.href !== here) return false;
    for (const part of document.querySelectorAll("[data-live-part]")) {
      const next = page.querySelector(`[data-live-part="${part.dataset.livePart}"]`);
      if (!next || next.innerHTML === part.innerHTML) continue;
      const left = part.querySelector(".table-scroll")?.scrollLeft ?? 0;
      next.querySelector("[data-runs-table]")?.classList.add("is-whole"); // nothing moves under who reads further down
      part.replaceChildren(...next.childNodes);
      if (left) part.querySelector(".table-scroll").scrollLeft = left;
    }
    document.dispatchEvent(new Event("htmx:after:swap")); // what behaviours listen to
    return true;
  }

  look();
  const timer = setInterval(() => (table.isConnected ? look() : clearInterval(timer)), EVERY_MS);
}
