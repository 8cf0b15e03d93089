// A curve drawn when it comes into view; the values come from the figure's data-url.
import { axis, CONFIG, drawn, json, load, paper, token, whenSeen } from "./plotting.js";

// The colour of a run is of its id: compare.css knows the hues, the server says which.
function colour(curve) {
  return curve.hue === undefined ? token("--accent") : `hsl(${curve.hue * 15} ${token("--run-saturation")} ${token("--run-lightness")})`;
}

const reduced = (curve) => curve.points > curve.x.length;
const place = (curve, x) => (curve.axis === "wall" ? new Date(x) : x);

function traces(curve, alone) {
  const line = { color: colour(curve), width: 2, dash: curve.dash ?? "solid" };
  const x = curve.x.map((one) => place(curve, one));
  const mean = { x, y: curve.y, type: "scatter", mode: x.length === 1 ? "markers" : "lines", line, marker: { color: line.color }, name: curve.name ?? curve.key, hoverinfo: alone ? "x+y" : "name+x+y" };
  if (!alone || !reduced(curve)) return [mean];
  const band = { x, type: "scatter", mode: "lines", line: { width: 0 }, hoverinfo: "skip" };
  return [{ ...band, y: curve.low }, { ...band, y: curve.high, fill: "tonexty", fillcolor: `${token("--accent")}33` }, mean];
}

const TITLES = { step: "step", time: "seconds", wall: "time (UTC)" };

function layout(answer, logarithmic) {
  return {
    ...paper(), margin: { l: 56, r: 16, t: 8, b: 40 }, showlegend: false, hovermode: "closest",
    xaxis: { ...axis(), type: answer.axis === "wall" ? "date" : "linear", title: { text: TITLES[answer.axis] } },
    yaxis: { ...axis(), type: logarithmic ? "log" : "linear" },
  };
}

function table(curves, label) {
  const several = curves.length > 1;
  const element = document.createElement("table");
  element.className = "table";
  const head = element.createTHead().insertRow();
  const titles = [...(several ? ["Run"] : []), curves[0]?.axis === "step" ? "Step" : "Time", label, "Least", "Greatest"];
  for (const text of titles) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: text }));
  const body = element.createTBody();
  for (const curve of curves) curve.x.forEach((x, i) => {
    const line = body.insertRow();
    const shown = curve.axis === "wall" ? new Date(x).toISOString() : x;
    for (const value of [...(several ? [curve.name] : []), shown, curve.y[i], curve.low[i], curve.high[i]]) line.insertCell().textContent = String(value);
  });
  return element;
}

// Filled when it is opened: it may have thousands of rows.
function offerTable(figure, curves) {
  const place = figure.querySelector("[data-chart-table]");
  const fill = () => place.replaceChildren(table(curves, figure.dataset.label));
  const details = place.closest("details");
  if (!details || details.open) fill();
  else details.addEventListener("toggle", fill, { once: true });
}

async function ask(url) {
  const found = await json(url);
  return { axis: found.axis, curves: (found.curves ?? [found]).filter((curve) => curve.x.length), several: Boolean(found.curves) };
}

function legend(figure, curves) {
  const place = figure.querySelector("[data-chart-legend]");
  const most = Math.max(...curves.map((curve) => curve.x.length));
  if (place) place.textContent = curves.some(reduced) ? `mean of ≤ ${most} buckets per run` : `${curves.length} run${curves.length === 1 ? "" : "s"}`;
}

// Zooming in asks for the part that is seen, in as many buckets as the whole had.
function refine(figure, plot, Plotly) {
  let asked = 0;
  plot.on("plotly_relayout", async (change) => {
    const whole = change["xaxis.autorange"];
    if (!whole && change["xaxis.range[0]"] === undefined) return;
    const ends = [0, 1].map((end) => change[`xaxis.range[${end}]`]).map((x) => (typeof x === "string" ? Date.parse(`${x.replace(" ", "T")}Z`) : x));
    const mine = ++asked;
    const found = await ask(whole ? figure.dataset.url : `${figure.dataset.url}&from=${ends[0]}&to=${ends[1]}`);
    if (mine !== asked || !found.curves.length) return;
    const range = plot.layout.xaxis.range;
    const shape = layout(found, "log" in figure.dataset);
    await Plotly.react(plot, found.curves.flatMap((curve) => traces(curve, !found.several)), { ...shape, xaxis: { ...shape.xaxis, ...(whole ? {} : { range }) } });
  });
}

async function draw(figure, plot) {
  const found = await ask(figure.dataset.url);
  offerTable(figure, found.curves);
  if (!found.several && found.curves[0]?.points === 1) { figure.hidden = true; return; } // one value is in the table above
  if (!found.curves.length) { plot.textContent = "No finite values."; return; }
  const Plotly = await load(figure.dataset.plotly);
  const data = found.curves.flatMap((curve) => traces(curve, !found.several));
  await Plotly.newPlot(plot, data, layout(found, "log" in figure.dataset), CONFIG);
  legend(figure, found.curves);
  if (found.curves.some(reduced)) refine(figure, plot, Plotly);
  const points = found.curves.reduce((sum, curve) => sum + curve.points, 0);
  drawn(figure, plot, `Curve of ${figure.dataset.label}, ${points} points; the table below has the values.`);
}

export default whenSeen(draw);
