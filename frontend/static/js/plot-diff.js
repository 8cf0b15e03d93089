// One plot of dvc.yaml in two versions: base in grey, head in colour, as DVC's own templates have it. Of a template of
// the repository's own ([data-own]), which is somebody's program, only the points are shown.
import { axis, CONFIG, drawn, exported, fillTable, json, load, paper, token, whenSeen } from "./plotting.js";

const MOST_ROWS = 1000; // of a table that is open from the beginning
const BANDWIDTH = 0.3, MOST_PLACES = 200; // of what is smoothed
const DASHES = ["solid", "dash", "dot", "dashdot"];
const colours = () => ({ base: token("--muted"), head: token("--accent") });

const name = (one, plot) => {
  const apart = [plot.several.file && one.file, plot.several.field && one.field].filter(Boolean);
  return [one.side, ...apart].join(" · ").slice(0, 80);
};

function lines(plot) {
  const places = new Map(), hue = colours(), bars = plot.template.startsWith("bar_horizontal"), smooth = plot.template === "smooth";
  return plot.series.flatMap((one) => {
    const key = `${one.file}\n${one.field}`;
    if (!places.has(key)) places.set(key, places.size);
    if (bars) return { type: "bar", orientation: "h", name: name(one, plot), x: one.x, y: one.y, marker: { color: hue[one.side] } };
    const mode = plot.template.startsWith("scatter") ? "markers" : one.x.length < 2 ? "markers" : "lines";
    const raw = { type: "scatter", mode, name: name(one, plot), x: one.x, y: one.y, line: { color: hue[one.side], dash: DASHES[places.get(key) % DASHES.length] }, marker: { color: hue[one.side] } };
    const [x, y] = smooth ? smoothed(one) : [[], []];
    return x.length > 2 ? [{ ...raw, opacity: 0.3, showlegend: false, hoverinfo: "skip" }, { ...raw, x, y }] : [raw];
  });
}

// Local lines through the nearest points, weighted by how near they are (loess), as the template asks Vega for.
function smoothed(one) {
  const points = one.x.map((x, i) => [x, one.y[i]]).filter((point) => point.every((value) => typeof value === "number")).sort((a, b) => a[0] - b[0]);
  const near = Math.max(2, Math.ceil(points.length * BANDWIDTH)), step = Math.max(1, Math.ceil(points.length / MOST_PLACES));
  const places = points.filter((_, i) => i % step === 0 || i === points.length - 1).map((point) => point[0]);
  let from = 0;
  const values = places.map((at) => {
    while (from + near < points.length && points[from + near][0] - at < at - points[from][0]) from += 1;
    const window = points.slice(from, from + near), reach = Math.max(...window.map(([x]) => Math.abs(x - at))) || 1;
    let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
    for (const [x, y] of window) {
      const weight = (1 - Math.min(1, Math.abs(x - at) / reach) ** 3) ** 3 + 1e-9, dx = x - at;
      [w, wx, wy, wxx, wxy] = [w + weight, wx + weight * dx, wy + weight * y, wxx + weight * dx * dx, wxy + weight * dx * y];
    }
    const det = w * wxx - wx * wx;
    return Math.abs(det) < 1e-12 * w * w ? wy / w : (wxx * wy - wx * wxy) / det;
  });
  return [places, values];
}

// How often each pair of classes stands there, or which part of its row that is, a matrix per side: of squares, since plotly's own heatmap writes styles
// that the page's policy refuses.
function squares(plot) {
  const classes = [...new Set(plot.series.flatMap((one) => [...one.x, ...one.y]).map(String))].sort();
  const place = new Map(classes.map((one, i) => [one, i]));
  return ["base", "head"].flatMap((side, at) => {
    const rows = plot.series.filter((one) => one.side === side);
    if (!rows.length) return [];
    const counts = classes.map(() => classes.map(() => 0));
    rows.forEach((one) => one.x.forEach((x, i) => { counts[place.get(String(one.y[i]))][place.get(String(x))] += 1; }));
    const parts = plot.template === "confusion_normalized";
    const cells = counts.flatMap((row, y) => row.map((count, x) => [classes[x], classes[y], parts ? count / (row.reduce((a, b) => a + b) || 1) : count]));
    const most = Math.max(parts ? 0 : 1, ...cells.map((cell) => cell[2])), size = Math.max(6, Math.min(44, 160 / classes.length));
    const marker = { symbol: "square", size, color: colours()[side], opacity: cells.map((cell) => (cell[2] / most) * 0.5) };
    return [{ type: "scatter", mode: "markers+text", name: side, x: cells.map((cell) => cell[0]), y: cells.map((cell) => cell[1]), text: cells.map((cell) => (parts ? cell[2].toFixed(2) : String(cell[2]))), marker, textposition: "middle center", xaxis: at ? "x2" : "x", yaxis: at ? "y2" : "y", hovertemplate: `${side}: %{x}, %{y}: %{text}<extra></extra>` }];
  });
}

function layout(plot, isSquares) {
  const x = { ...axis(), title: { text: plot.x_label || plot.x }, automargin: true }, y = { ...axis(), title: { text: plot.y_label || plot.y }, automargin: true };
  const both = { ...paper(), margin: { l: 48, r: 16, t: 16, b: 48 }, showlegend: !isSquares, legend: { orientation: "h", y: 1.15 } };
  if (plot.template === "bar_horizontal") return { ...both, barmode: "group", xaxis: x, yaxis: { ...y, type: "category", categoryorder: "category descending" } };
  if (plot.template === "bar_horizontal_sorted") return { ...both, barmode: "group", xaxis: x, yaxis: { ...y, type: "category", categoryorder: "total ascending" } };
  if (!isSquares) return { ...both, xaxis: x, yaxis: y };
  const kind = { type: "category" };
  return { ...both, xaxis: { ...x, ...kind, domain: [0, 0.46] }, yaxis: { ...y, ...kind, autorange: "reversed" }, xaxis2: { ...x, ...kind, domain: [0.54, 1] }, yaxis2: { ...axis(), ...kind, anchor: "x2", autorange: "reversed", showticklabels: false }, annotations: ["base", "head"].map((text, at) => ({ text, x: at ? 0.77 : 0.23, y: 1.08, xref: "paper", yref: "paper", showarrow: false })) };
}

function table(plot, most = Infinity) {
  const rows = plot.series.flatMap((one) => one.x.map((x, i) => [one.side, one.file, one.field, x, one.y[i]])).slice(0, most);
  return [["Side", "File", "Field", plot.x_label || plot.x || "x", plot.y_label || plot.y || "y"], rows];
}

async function draw(figure, place) {
  const { plots: [plot] } = await json(figure.dataset.url);
  if (figure.dataset.own) return void fillTable(figure, () => table(plot, MOST_ROWS));
  const different = (key) => new Set(plot.series.map((one) => one[key])).size > 1;
  plot.several = { file: different("file"), field: different("field") };
  const Plotly = await load(figure.dataset.plotly), isSquares = plot.template.startsWith("confusion");
  await Plotly.newPlot(place, isSquares ? squares(plot) : lines(plot), layout(plot, isSquares), CONFIG);
  fillTable(figure, () => table(plot));
  exported(figure, place, Plotly, figure.dataset.label);
  drawn(figure, place, `Plot of ${figure.dataset.label} at both sides; the table below has the values.`);
}

const seen = whenSeen(draw);
export default (figure) => { if (figure.querySelector("[data-chart-plot]")) seen(figure); };
