// One plot of dvc.yaml in two versions: base in grey, head in colour. Templates of DVC that need more than lines and
// points (confusion, bar_horizontal) are drawn as what they are for; a template of the repository's own, as lines.
import { axis, CONFIG, drawn, exported, fillTable, json, load, paper, token, whenSeen } from "./plotting.js";

const DASHES = ["solid", "dash", "dot", "dashdot"];
const colours = () => ({ base: token("--muted"), head: token("--accent") });

const name = (one, plot) => {
  const apart = [plot.several.file && one.file, plot.several.field && one.field].filter(Boolean);
  return [one.side, ...apart].join(" · ").slice(0, 80);
};

function lines(plot) {
  const places = new Map(), hue = colours(), bars = plot.template.startsWith("bar_horizontal");
  return plot.series.map((one) => {
    const key = `${one.file}\n${one.field}`;
    if (!places.has(key)) places.set(key, places.size);
    if (bars) return { type: "bar", orientation: "h", name: name(one, plot), x: one.x, y: one.y, marker: { color: hue[one.side] } };
    const mode = plot.template.startsWith("scatter") ? "markers" : one.x.length < 2 ? "markers" : "lines";
    return { type: "scatter", mode, name: name(one, plot), x: one.x, y: one.y, line: { color: hue[one.side], dash: DASHES[places.get(key) % DASHES.length], shape: plot.template === "smooth" ? "spline" : "linear" }, marker: { color: hue[one.side] } };
  });
}

// How often each pair of classes stands there, a matrix per side: of squares, since plotly's own heatmap writes styles
// that the page's policy refuses.
function squares(plot) {
  const classes = [...new Set(plot.series.flatMap((one) => [...one.x, ...one.y]).map(String))].sort();
  const place = new Map(classes.map((one, i) => [one, i]));
  return ["base", "head"].flatMap((side, at) => {
    const rows = plot.series.filter((one) => one.side === side);
    if (!rows.length) return [];
    const counts = classes.map(() => classes.map(() => 0));
    rows.forEach((one) => one.x.forEach((x, i) => { counts[place.get(String(one.y[i]))][place.get(String(x))] += 1; }));
    const cells = counts.flatMap((row, y) => row.map((count, x) => [classes[x], classes[y], count]));
    const most = Math.max(1, ...cells.map((cell) => cell[2])), size = Math.max(6, Math.min(44, 160 / classes.length));
    const marker = { symbol: "square", size, color: colours()[side], opacity: cells.map((cell) => (cell[2] / most) * 0.5) };
    return [{ type: "scatter", mode: "markers+text", name: side, x: cells.map((cell) => cell[0]), y: cells.map((cell) => cell[1]), text: cells.map((cell) => String(cell[2])), marker, textposition: "middle center", xaxis: at ? "x2" : "x", yaxis: at ? "y2" : "y", hovertemplate: `${side}: %{x}, %{y}: %{text}<extra></extra>` }];
  });
}

function layout(plot, isSquares) {
  const x = { ...axis(), title: { text: plot.x_label || plot.x }, automargin: true }, y = { ...axis(), title: { text: plot.y_label || plot.y }, automargin: true };
  const both = { ...paper(), margin: { l: 48, r: 16, t: 16, b: 48 }, showlegend: !isSquares, legend: { orientation: "h", y: 1.15 } };
  if (!isSquares) return { ...both, barmode: "group", xaxis: x, yaxis: y };
  const kind = { type: "category" };
  return { ...both, xaxis: { ...x, ...kind, domain: [0, 0.46] }, yaxis: { ...y, ...kind, autorange: "reversed" }, xaxis2: { ...x, ...kind, domain: [0.54, 1] }, yaxis2: { ...axis(), ...kind, anchor: "x2", autorange: "reversed", showticklabels: false }, annotations: ["base", "head"].map((text, at) => ({ text, x: at ? 0.77 : 0.23, y: 1.08, xref: "paper", yref: "paper", showarrow: false })) };
}

function table(plot) {
  const rows = plot.series.flatMap((one) => one.x.map((x, i) => [one.side, one.file, one.field, x, one.y[i]]));
  return [["Side", "File", "Field", plot.x_label || plot.x || "x", plot.y_label || plot.y || "y"], rows];
}

async function draw(figure, place) {
  const { plots: [plot] } = await json(figure.dataset.url);
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
