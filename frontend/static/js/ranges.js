// Ranges of axes as the end of a filter, and back: `… and metrics.acc >= 0.9 and params.opt in ("adam", "lion")`.
const PLAIN = /^[^\s()'",`<>=!~]+$/;
const NAME = "(?:metrics|params|tags)\\.(?:`[^`]*`|[^\\s()'\",`<>=!~]+)|start|duration|user|status|experiment";
const TEXT = '"(?:[^"]|"")*"';
const LAST = new RegExp(`(?:^| and )(${NAME}) (?:(>=|<=) (-?[\\d.]+(?:e[-+]?\\d+)?)|in \\((${TEXT}(?:, ${TEXT})*)\\))$`, "i");

// A name as a filter writes it.
export const written = (name) => {
  const [kind, ...rest] = name.split(".");
  return !rest.length || PLAIN.test(rest.join(".")) ? name : `${kind}.\`${rest.join(".")}\``;
};
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

// Whether `and` can follow a filter as it is: no `or` outside of its parentheses and texts.
function closed(filter) {
  let bare = filter.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'|`[^`]*`/g, "x");
  for (let before = ""; before !== bare;) { before = bare; bare = bare.replaceAll(/\([^()]*\)/g, "x"); }
  return !/(\bor\b|\|\|)/i.test(bare);
}

const isWords = (filter) => !/[=<>~]|\b(is|in|like|ilike)\b/i.test(filter);

// [the rest of a filter, Map(axis → {from, to} or {texts})]: only ranges of these axes are taken off its end.
export function split(filter, axes) {
  let rest = filter.trim();
  const ranges = new Map();
  for (let match; (match = LAST.exec(rest)); rest = rest.slice(0, match.index)) {
    const name = match[1].replaceAll("`", "");
    if (!axes.includes(name) || !closed(rest.slice(0, match.index))) break;
    const range = ranges.get(name) ?? {};
    if (match[4]) range.texts = [...match[4].matchAll(new RegExp(TEXT, "g"))].map(([text]) => text.slice(1, -1).replaceAll('""', '"'));
    else range[match[2] === ">=" ? "from" : "to"] = Number(match[3]);
    ranges.set(name, range);
  }
  return [rest, ranges];
}

export function join(rest, ranges) {
  const found = [];
  for (const [name, { from, to, texts }] of ranges) {
    if (texts) found.push(`${written(name)} in (${texts.map(quoted).join(", ")})`);
    if (from !== undefined) found.push(`${written(name)} >= ${from}`);
    if (to !== undefined) found.push(`${written(name)} <= ${to}`);
  }
  if (!found.length || !rest) return rest || found.join(" and ");
  const like = quoted(`%${rest}%`);
  const first = isWords(rest) ? `(name ilike ${like} or user ilike ${like})` : closed(rest) ? rest : `(${rest})`;
  return [first, ...found].join(" and ");
}
