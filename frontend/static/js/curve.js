// How curves look: traces of runs and of groups, axes, smoothing. Plain functions of the server's answer and a state.
import { axis, colourOf, paper, token } from "./plotting.js";

const colour = (curve, alpha) => (curve.hue === undefined ? token("--accent") : colourOf(curve.hue, alpha));

export const isBand = (curve) => Boolean(curve.members);
const zoomed = (now) => Boolean(now.get("from") && now.get("to"));
const SMALLEST = { time: 0.001 }; // what a bucket of one position measures, else 1

// Whether its values are means of several: points counts those of the whole curve, also where a part is shown.
export const reduced = (curve, now) => !isBand(curve) && curve.points > curve.x.length && !(zoomed(now) && curve.width <= (SMALLEST[curve.axis] ?? 1));
const place = (curve, x) => (curve.axis === "wall" ? new Date(x) : x);

// An exponential moving average, corrected for its beginning, so that it starts where the curve does.
export function smoothed(values, weight) {
  let mean = 0;
  return values.map((value, i) => {
    mean = mean * weight + value * (1 - weight);
    return mean / (1 - weight ** (i + 1));
  });
}

// alone: the only curve of its chart. boxed: the chart tells by itself what is at the pointer.
export function traces(curve, { alone, boxed }, now) {
  const weight = Number(now.get("smooth") || 0);
  const line = { color: colour(curve), width: curve.run_id && curve.run_id === now.get("baseline") ? 4 : 2, dash: curve.dash ?? "solid" };
  const x = curve.x.map((one) => place(curve, one));
  const mean = { x, y: curve.y, type: "scatter", mode: x.length === 1 ? "markers" : "lines", line, marker: { color: line.color }, name: curve.name ?? curve.key, hoverinfo: boxed ? "none" : alone ? "x+y" : "name+x+y" };
  const raw = weight ? [{ ...mean, line: { ...line, width: 1 }, opacity: 0.3, hoverinfo: "skip", showlegend: false }, { ...mean, y: smoothed(curve.y, weight) }] : [mean];
  if (!isBand(curve) && !(alone && reduced(curve, now))) return raw;
  const band = { x, type: "scatter", mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  const fill = curve.hue === undefined ? `${token("--accent")}33` : colour(curve, 0.2);
  return [{ ...band, y: curve.low }, { ...band, y: curve.high, fill: "tonexty", fillcolor: fill }, ...raw];
}

const TITLES = { step: "step", time: "seconds", wall: "time (UTC)" };

// The middle 96 % of the values, with room: where a few values are far out, the rest can still be told apart.
function inner(curves) {
  const values = curves.flatMap((curve) => curve.y).sort((a, b) => a - b);
  const [low, high] = [0.02, 0.98].map((part) => values[Math.round(part * (values.length - 1))]);
  const room = (high - low) * 0.1 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

export function layout(found, now, boxed) {
  const logarithmic = now.get("log") === "1", logx = now.get("logx") === "1" && found.axis !== "wall";
  const shape = {
    ...paper(), margin: { l: 56, r: 16, t: 8, b: 40 }, showlegend: false, hovermode: boxed ? "x" : "closest", dragmode: "zoom",
    xaxis: { ...axis(), type: found.axis === "wall" ? "date" : logx ? "log" : "linear", title: { text: TITLES[found.axis] ?? found.axis, standoff: 8 } },
    yaxis: { ...axis(), type: logarithmic ? "log" : "linear" },
  };
  const [from, to] = [now.get("from"), now.get("to")].map((text) => (text ? Number(text) : NaN));
  if (Number.isFinite(from) && Number.isFinite(to) && from < to && !(logx && from <= 0)) {
    shape.xaxis.range = found.axis === "wall" ? [new Date(from), new Date(to)] : logx ? [Math.log10(from), Math.log10(to)] : [from, to];
  }
  if (now.get("clip") === "1" && found.curves.length) {
    const range = inner(found.curves);
    if (!logarithmic) shape.yaxis.range = range;
    else if (range[1] > 0) {
      const least = Math.min(...found.curves.flatMap((curve) => curve.y).filter((y) => y > 0));
      shape.yaxis.range = [Math.log10(Math.max(range[0], least)), Math.log10(range[1])];
    }
  }
  return shape;
}

// What is drawn, in words: how many points became how many buckets.
export function legend(found, now) {
  const { curves } = found, weight = Number(now.get("smooth") || 0);
  if (!curves.length) return "";
  const most = Math.max(...curves.map((curve) => curve.x.length));
  const points = curves.reduce((sum, curve) => sum + curve.points, 0);
  const said = isBand(curves[0])
    ? `mean ± std of the runs of each of ${curves.length} group${curves.length === 1 ? "" : "s"}, ≤ ${most} buckets`
    : curves.some((curve) => reduced(curve, now)) ? `mean of ≤ ${most} buckets per run${zoomed(now) ? " in this range" : `, of ${points.toLocaleString("en")} points`}`
      : `${curves.length} run${curves.length === 1 ? "" : "s"}, every point`;
  return weight ? `${said}, smoothed ${weight}` : said;
}
