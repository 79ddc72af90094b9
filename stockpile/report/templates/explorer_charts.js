// A panel for each munition: the fans of its stock, when draws fall below the floor, and the unmet need of each recipient.

const LEFT = 48, WIDE = 300, TOP = 10, BOTTOM = 150, HIGH = BOTTOM - TOP, NICE = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

// A row over time as a path, there or back; `xs` in text.
function trace(xs, row, y, back = false) {
  let text = "";
  for (let k = 0, last = row.length - 1; k <= last; k++) {
    const t = back ? last - k : k;
    text += `${k || back ? "L" : "M"}${xs[t]} ${Math.round(10 * y(row[t])) / 10}`;
  }
  return text;
}

function area(xs, low, high, y) { return `${trace(xs, high, y)}${trace(xs, low, y, true)}Z`; }

// The next number above that is nice to read.
function above(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return NICE.find(one => one * power >= most) * power;
}

function groups(kinds) {
  return Object.fromEntries(LINES.map(line => {
    const paths = kinds.map(kind => s("path", { class: kind }));
    return [line, { paths, node: s("g", { class: line }, ...paths), drawn: null, scale: null }];
  }));
}

// Show a group, and draw it where the line or the scale is another one.
function show(group, line, scale, draw) {
  group.node.style.display = line ? "" : "none";
  if (!line || (group.drawn === line && group.scale === scale)) return;
  Object.assign(group, { drawn: line, scale });
  draw(line).forEach((text, k) => group.paths[k].setAttribute("d", text));
}

class Panel {
  constructor(model, words, name) {
    const { data, steps } = model;
    Object.assign(this, { model, words, name, x: t => LEFT + t * WIDE / steps });
    this.xs = data.dates.map((_, t) => this.x(t).toFixed(1));
    this.fans = groups(["outer", "inner", "median", "dots"]);
    this.pause = s("path", { class: "pause" });
    this.floor = s("path", { class: "floor" });
    this.ticks = [0, 1, 2].map(k => this.text(LEFT - 4, BOTTOM + 4 - k * HIGH / 2, "end"));
    this.reading = h("figcaption", { class: "reading" });
    this.minis = data.recipients.map(who => new Mini(model, words, who));
    this.svg = this.picture();
    const id = `title-${name}`, title = h("h3", { id }, `${data.titles.munitions[name]}: US stock, rounds`);
    this.svg.setAttribute("aria-labelledby", id);
    const unmet = { class: "minis", role: "group", "aria-label": "Unmet need since the date of knowledge, cumulated" };
    const cards = this.minis.map(one => one.node);
    this.node = h("figure", { id: `chart-${name}` }, title, this.svg, this.reading, h("div", unmet, ...cards));
  }

  text(x, y, anchor, said = "") { return s("text", { x, y, "text-anchor": anchor }, said); }

  picture() {
    const { data } = this.model, now = this.x(data.ahead - 1), grid = [0, 1, 2].map(k => `M${LEFT} ${BOTTOM - k * HIGH / 2}h${WIDE}`);
    const years = data.dates.map((date, t) => [...date.split("-"), t]).filter(([year, month]) => month === "01" && year % 2 === 0);
    return s("svg", { viewBox: "0 0 360 204", role: "img" },
      this.pause, ...grid.map(d => s("path", { class: "grid", d })), ...LINES.map(line => this.fans[line].node), this.floor,
      s("path", { class: "now", d: `M${now} 6V${BOTTOM}` }), this.text(now - 3, 16, "end", "known"), ...this.ticks,
      ...years.map(([year, , , t]) => this.text(this.x(t), 202, "middle", year)));
  }

  // `lines` has those to be shown, `yours` and `mine` what is said; `halt` the suspension, `pinned` the controls without a range.
  draw(lines, { yours, mine, halt, pinned }) {
    // Of lines that are the same the last one is seen.
    const seen = LINES.filter((line, k) => lines[line] && !LINES.slice(k + 1).some(other => lines[other] === lines[line]));
    const top = above(Math.max(1, ...seen.map(line => lines[line].most))), y = value => BOTTOM - HIGH * Math.min(value, top) / top;
    LINES.forEach((line, k) => {
      show(this.fans[line], seen.includes(line) && lines[line], top, one => this.fan(one, y, BOTTOM + 8 + 2 * k));
    });
    this.ticks.forEach((tick, k) => put(tick, brief(top * k / 2)));
    mark(this.floor, "d", `M${LEFT} ${y(yours.middle)}h${WIDE}`);
    mark(this.pause, "d", halt ? `M${this.x(this.model.at(halt.start))} 6V${BOTTOM}H${this.x(this.model.end(halt))}V6Z` : "");
    put(this.reading, this.words.reading(yours, mine, pinned));
    this.minis.forEach((mini, r) => mini.draw(lines, seen, r, yours));
  }

  fan({ fan: [a, b, c, d, e], first }, y, under) {
    let dots = "";
    first.forEach((t, i) => { if (t < NEVER) dots += `M${this.xs[t]} ${under + i % 10 * 2.5}h0`; });
    return [area(this.xs, a, e, y), area(this.xs, b, d, y), trace(this.xs, c, y), dots];
  }
}

// The unmet need of a recipient, cumulated.
class Mini {
  constructor(model, words, who) {
    this.title = words.who(who);
    this.said = h("p");
    this.lines = groups(["outer", "median"]);
    const last = Math.ceil((model.steps - model.data.ahead + 1) / 3);
    this.xs = Array.from({ length: last + 1 }, (_, k) => Math.round(20 + 1160 * k / last) / 10);
    const picture = s("svg", { viewBox: "0 0 120 56", "aria-hidden": "true" }, s("path", { class: "grid", d: "M2 52h116" }));
    picture.append(...LINES.map(line => this.lines[line].node));
    this.node = h("div", {}, picture, this.said);
  }

  draw(lines, seen, r, yours) {
    const most = Math.max(1, ...seen.map(line => lines[line].need[r][2].at(-1))), y = value => 52 - 48 * value / most;
    for (const line of LINES) {
      show(this.lines[line], seen.includes(line) && lines[line], most, ({ need }) => {
        const [low, middle, high] = need[r];
        return [area(this.xs, low, high, y), trace(this.xs, middle, y)];
      });
    }
    const [low, middle, high] = yours.need[r].map(row => brief(row.at(-1)));
    put(this.said, `${this.title}, unmet: ${middle} (${low} to ${high})`);
  }
}
