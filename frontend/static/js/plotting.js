// What every chart shares: plotly, loaded once; the look of the page; drawing when a figure comes into view.
// Only SVG traces: WebGL ones need eval, which the page's policy refuses.
// plotly brings a style sheet for maps, which the policy refuses too; it leaves it out where its id is taken.
const MAPS_STYLE = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";
let plotly;
export function load(url) {
  plotly ??= new Promise((done, fail) => {
    document.head.append(Object.assign(document.createElement("meta"), { id: MAPS_STYLE }));
    const script = Object.assign(document.createElement("script"), { src: url, onload: () => done(window.Plotly), onerror: () => fail(new Error("plotly")) });
    document.head.append(script);
  });
  return plotly;
}

export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export async function json(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

// The JSON of a chart of many runs. section: says which ([data-source]). Empty values ask for nothing.
export function addressOf(section, path, more) {
  const asked = new URLSearchParams(section.dataset.source);
  for (const [name, value] of Object.entries(more)) if (value) asked.set(name, value);
  return `${section.dataset.base}/${path}?${asked}`;
}

// The colour of a run is of its id: compare.css knows the hues, the server says which.
export const colourOf = (hue, alpha = 1) => `hsl(${hue * 15} ${token("--run-saturation")} ${token("--run-lightness")} / ${alpha})`;
export const axis = () => ({ gridcolor: token("--border"), zerolinecolor: token("--border"), linecolor: token("--control-border") });
export const paper = () => ({ paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: token("--fg"), size: 12 } });
export const CONFIG = { displayModeBar: false, responsive: true };

// draw(figure, plot): where it throws, the figure says that its chart could not be loaded.
export function whenSeen(draw) {
  const attempt = async (figure) => {
    const plot = figure.querySelector("[data-chart-plot]");
    try {
      await draw(figure, plot);
    } catch (error) {
      plot.textContent = `The chart could not be loaded (${error.message}). Reload the page to try again.`;
    }
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) { seen.unobserve(entry.target); attempt(entry.target); }
  }, { rootMargin: "200px" });
  return (figure) => seen.observe(figure);
}

// What a chart that is there tells: a screen reader by its label, scripts by data-drawn.
export function drawn(figure, plot, label) {
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", label);
  figure.dataset.drawn = "1";
}

// A table made when it is asked for: it may have thousands of rows. made() → [heads, rows].
export function fillTable(figure, made) {
  const place = figure.querySelector("[data-chart-table]"), details = place.closest("details");
  const fill = () => place.replaceChildren(tabled(...made()));
  place.refill = fill;
  if (!details || details.open) fill();
  else if (!place.dataset.waiting) {
    place.dataset.waiting = "1";
    details.addEventListener("toggle", () => { if (details.open) place.refill(); });
  }
}

function tabled(heads, rows) {
  const element = Object.assign(document.createElement("table"), { className: "table" });
  const head = element.createTHead().insertRow(), body = element.createTBody();
  for (const text of heads) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: text }));
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) line.insertCell().textContent = value === null || value === undefined ? "–" : String(value);
  }
  return element;
}

// Buttons that save what is drawn as a picture. keyed: alone it needs a title, and a key to its lines, which the page
// tells around the chart.
export function exported(figure, plot, Plotly, name, { keyed = false } = {}) {
  for (const button of figure.querySelectorAll("[data-export]")) {
    button.onclick = () => {
      const lines = keyed ? plot.data.filter((trace) => trace.showlegend !== false).length : 0;
      const told = keyed ? { title: { text: name }, margin: { l: 72, r: 24, t: 56, b: 64 }, showlegend: lines > 1 } : {};
      const picture = { data: plot.data, layout: { ...plot.layout, paper_bgcolor: token("--bg"), ...told } };
      const height = Math.max(600, 120 + lines * 20);
      Plotly.downloadImage(picture, { format: button.dataset.export, filename: name.replaceAll(/[^\w.-]+/g, "_"), width: 1000, height, scale: 2 });
    };
  }
}

// Paper is narrower than the screen: what is drawn shrinks with it (charts.css).
const drawings = () => document.querySelectorAll(".js-plotly-plot .main-svg");
addEventListener("beforeprint", () => {
  for (const drawing of drawings()) drawing.setAttribute("viewBox", `0 0 ${drawing.getAttribute("width")} ${drawing.getAttribute("height")}`);
});
addEventListener("afterprint", () => { for (const drawing of drawings()) drawing.removeAttribute("viewBox"); });
