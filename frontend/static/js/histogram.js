// Two versions of one column, laid over each other: drawn when it comes into view. Bars are an SVG trace.
import { axis, CONFIG, drawn, json, load, paper, token, whenSeen } from "./plotting.js";

function traces(column) {
  const sides = [["base", token("--muted"), 0.55], ["head", token("--accent"), 0.55]];
  if (column.bars) {
    const edges = column.bars.edges.map((edge) => (column.kind === "time" ? edge * 1000 : edge)); // dates in milliseconds
    const middle = edges.slice(1).map((edge, i) => (edge + edges[i]) / 2);
    const width = edges.slice(1).map((edge, i) => edge - edges[i]);
    return sides.map(([name, color, opacity]) => ({ type: "bar", name, x: middle, y: column.bars[name], width, opacity, marker: { color }, hoverinfo: "name+x+y" }));
  }
  return sides.map(([name, color], side) => ({ type: "bar", name, x: column.shares.map((row, i) => i), y: column.shares.map((row) => row[side + 1]), hovertext: column.shares.map((row) => row[0]), marker: { color }, hoverinfo: "name+text+y" }));
}

// Values by their place: two that begin alike are two bars.
const LABEL = 14;
const named = (column) => ({
  type: "linear", tickvals: column.shares.map((row, i) => i), automargin: true,
  ticktext: column.shares.map(([value]) => (value.length > LABEL ? `${value.slice(0, LABEL - 1)}…` : value)),
});

function layout(column) {
  return {
    ...paper(), margin: { l: 48, r: 16, t: 8, b: 48 }, height: 240, barmode: column.bars ? "overlay" : "group", legend: { orientation: "h", y: 1.15 },
    xaxis: { ...axis(), ...(column.bars ? { type: column.kind === "time" ? "date" : "linear" } : named(column)) }, yaxis: { ...axis(), title: { text: "share" } },
  };
}

async function draw(figure, plot) {
  const column = await json(figure.dataset.url);
  const Plotly = await load(figure.dataset.plotly);
  await Plotly.newPlot(plot, traces(column), layout(column), CONFIG);
  plot.on("plotly_click", ({ points }) => location.assign(column.row_urls[points[0].pointNumber]));
  drawn(figure, plot, `Values of ${figure.dataset.label} in both versions; the table below has the numbers.`);
}

export default whenSeen(draw);
