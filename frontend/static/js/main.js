// Entry module: each behaviour is found by its data attribute and imported only where it is used.
const behaviours = {
  "[data-copy]": () => import("./copy.js"),
  "form[data-unsaved]": () => import("./unsaved.js"),
  "form[data-upload]": () => import("./upload.js"),
  "[data-region]": () => import("./region.js"),
  "[data-attach]": () => import("./attach.js"),
  "details.menu": () => import("./menu.js"),
  "[data-chart]": () => import("./chart.js"),
  "[data-curves]": () => import("./curves.js"),
  "[data-parallel]": () => import("./parallel.js"),
  "[data-stats]": () => import("./stats.js"),
  "[data-names]": () => import("./names.js"),
  "[data-histogram]": () => import("./histogram.js"),
  "[data-plot-diff]": () => import("./plot-diff.js"),
  "[data-overlay]": () => import("./overlay.js"),
  "[data-lines]": () => import("./lines.js"),
  "[data-key='y']": () => import("./permalink.js"),
  "[data-filter]": () => import("./filter.js"),
  "[data-complete]": () => import("./complete.js"),
  "[data-columns]": () => import("./columns.js"),
  "[data-live]": () => import("./live.js"),
  "[data-chosen]": () => import("./chosen.js"),
  "[data-ticked]": () => import("./ticked.js"),
  "[data-runs-table]": () => import("./runs-table.js"),
  "[data-steps]": () => import("./steps.js"),
  "[data-drawing]": () => import("./drawing.js"),
  "[data-file-tree]": () => import("./file-tree.js"),
  ".apply-form": () => import("./apply.js"),
  "[data-later]": () => import("./later.js"),
  "[data-diff-lines]": () => import("./diff-lines.js"),
  "[data-review]": () => import("./review.js"),
  "[data-line-markers]": () => import("./line-markers.js"),
  "[data-viewed-form]": () => import("./viewed.js"),
  "[data-steps-of='files']": () => import("./file-steps.js"),
  "[data-finder]": () => import("./finder.js"),
  "[data-conflicts]": () => import("./conflicts.js"),
  "[data-shortcuts]": () => import("./keyboard.js"),
};

const taken = new WeakSet();

async function enhanceAll(root, [selector, load]) {
  const found = [...root.querySelectorAll(selector)].filter((element) => !taken.has(element));
  if (!found.length) return;
  found.forEach((element) => taken.add(element));
  const { default: enhance } = await load();
  for (const element of found) {
    enhance(element);
    element.dataset.enhanced = "1"; // now, not when its module was asked for
  }
}

// All at once: a page does not wait for one module to ask for the next.
async function start(root) {
  await Promise.all(Object.entries(behaviours).map((behaviour) => enhanceAll(root, behaviour)));
  root.documentElement.dataset.enhanced = "1"; // keys and clicks do what they say from now on
}

function htmx() {
  const script = document.createElement("script");
  script.src = document.getElementById("htmx").href;
  return new Promise((told) => {
    script.onload = script.onerror = told;
    document.head.append(script);
  });
}

async function begin() {
  await htmx();
  start(document);
  document.addEventListener("htmx:after:swap", () => start(document));
}
// After the first frame was shown: it needs no script, and drawing it needs the processor. A page that nobody sees has
// no frames.
function shown() {
  if (document.hidden) return null;
  return new Promise((told) => {
    new PerformanceObserver(told).observe({ type: "paint", buffered: true });
    setTimeout(told, 500);
  });
}

await shown();
begin();
