// A curve drawn when it comes into view: plotly is loaded once, the values come from the figure's data-url.
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

function traces(curve) {
  const line = { color: token("--accent"), width: 2 };
  const mean = { x: curve.x, y: curve.y, type: "scatter", mode: curve.x.length === 1 ? "markers" : "lines", line, name: curve.key, hoverinfo: "x+y" };
  if (curve.points <= curve.x.length) return [mean];
  const band = { x: curve.x, type: "scatter", mode: "lines", line: { width: 0 }, hoverinfo: "skip" };
  return [{ ...band, y: curve.low }, { ...band, y: curve.high, fill: "tonexty", fillcolor: `${token("--accent")}33` }, mean];
}

function layout(curve) {
  const axis = { gridcolor: token("--border"), zerolinecolor: token("--border"), linecolor: token("--control-border") };
  return {
    margin: { l: 56, r: 16, t: 8, b: 40 }, showlegend: false, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { color: token("--fg"), size: 12 }, xaxis: { ...axis, title: { text: curve.axis === "step" ? "step" : "seconds" } }, yaxis: axis,
  };
}

function table(curve, label) {
  const rows = curve.x.map((x, i) => [x, curve.y[i]]);
  const element = document.createElement("table");
  element.className = "table";
  const head = element.createTHead().insertRow();
  for (const text of [curve.axis === "step" ? "Step" : "Seconds", label]) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: text }));
  const body = element.createTBody();
  for (const row of rows) { const line = body.insertRow(); row.forEach((value) => { line.insertCell().textContent = String(value); }); }
  return element;
}

async function draw(figure) {
  const plot = figure.querySelector("[data-chart-plot]");
  try {
    const answer = await fetch(figure.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const curve = await answer.json();
    figure.querySelector("[data-chart-table]").replaceChildren(table(curve, figure.dataset.label));
    if (curve.points === 1) { figure.hidden = true; return; } // one value is in the table above
    if (!curve.x.length) { plot.textContent = "No finite values."; return; }
    const Plotly = await load(figure.dataset.plotly);
    await Plotly.newPlot(plot, traces(curve), layout(curve), { displayModeBar: false, responsive: true });
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", `Curve of ${figure.dataset.label}, ${curve.points} points; the table below has the values.`);
    figure.dataset.drawn = "1";
  } catch (error) {
    plot.textContent = `The curve could not be loaded (${error.message}). Reload the page to try again.`;
  }
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((one) => one.isIntersecting)) { seen.unobserve(entry.target); draw(entry.target); }
}, { rootMargin: "200px" });

export default (figure) => seen.observe(figure);
