// What one sees and moves. Nothing of the model is here: it is printed from the equations, beside explorer_engine.js.
const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95], LINES = ["base", "mine", "kept", "yours"], LEAST = 0.5;
const NAMED = { base: "Baseline", mine: "Baseline with your assumptions", yours: "Your scenario", kept: "A, kept" };
const HASH = "1", LONGEST = 8000, NEVER = Infinity;
const $ = id => document.getElementById(id);
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 }), three = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });
const rounds = x => whole.format(Math.round(x) + 0);
const signed = x => (Math.round(x) > 0 ? "+" : "") + rounds(x).replace("-", "−");

function h(tag, given = {}, ...children) {
  const one = document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) one.setAttribute(key, value === true ? "" : value);
  }
  one.append(...children);
  return one;
}

function s(tag, given = {}, ...children) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(given)) one.setAttribute(key, value);
  one.append(...children);
  return one;
}

// ------------------------------------------------------------ numbers

let ordered = new Float64Array(0);

// Quantiles by linear interpolation between ordered numbers, as the library's.
function quantiles(values, first, count, shares = SHARES) {
  if (ordered.length !== count) ordered = new Float64Array(count);
  ordered.set(first === 0 && values.length === count ? values : values.subarray(first, first + count));
  ordered.sort();
  return shares.map(q => {
    const place = q * (count - 1), low = ordered[Math.floor(place)], high = ordered[Math.ceil(place)];
    return low === high ? low : low + (high - low) * (place % 1);
  });
}

function equal(a, b) {
  for (let k = a.length - 1; k >= 0; k--) if (a[k] !== b[k]) return false;
  return true;
}

// What the page says of a run of a munition, draw by draw and over time.
class Line {
  constructor(model, name, made, floor, like) {
    const n = model.lanes, steps = model.steps, stock = new Float64Array((steps + 1) * n);
    Object.assign(this, { model, name, floor, n, steps });
    stock.set(made.rows["state.us_on_hand"]);
    stock.set(made.state["state.us_on_hand"], steps * n);
    this.stock = stock;
    this.rows = made.rows;
    this.level = made.level(floor);
    this.atEnd = stock.subarray(steps * n);
    this.lowest = new Float64Array(n).fill(Infinity);
    this.first = new Float64Array(n).fill(NEVER);
    for (let t = 0; t <= steps; t++) {
      const at = t * n, ahead = t >= model.data.ahead;
      for (let i = 0; i < n; i++) {
        const now = stock[at + i];
        if (ahead && now < this.lowest[i]) this.lowest[i] = now;
        if (now < this.level[i] && this.first[i] === NEVER) this.first[i] = t;
      }
    }
    this.below = this.first.reduce((sum, one) => sum + (one < NEVER), 0);
    this.fan = this.fans(like);
    // Unmet need that is the same in all draws as in another line is not added up again.
    const as = model.data.recipients.map((_, r) => like && equal(this.rows[`flow.unmet.${r}`], like.rows[`flow.unmet.${r}`]));
    this.unmet = as.map((same, r) => same ? like.unmet[r] : this.sums(`flow.unmet.${r}`));
    this.need = as.map((same, r) => same ? like.need[r] : this.cumulative(r));
    this.said = [this.atEnd, this.lowest, ...this.unmet].map(one => quantiles(one, 0, n));
    this.middle = quantiles(this.level, 0, n, [0.5])[0];
    const fallen = this.first.filter(one => one < NEVER);
    this.typical = fallen.length ? quantiles(fallen, 0, fallen.length, [0.5])[0] : NEVER;
  }

  sums(key) {
    const found = new Float64Array(this.n), row = this.rows[key];
    for (let at = 0; at < row.length; at += this.n) for (let i = 0; i < this.n; i++) found[i] += row[at + i];
    return found;
  }

  // Five rows over the dates; what is the same as in another line, up to some date, is not ordered again.
  fans(like) {
    const found = SHARES.map(() => new Float64Array(this.steps + 1));
    let t = 0;
    if (like) for (const all = like.stock; t <= this.steps; t++) {
      let same = true;
      for (let i = t * this.n; same && i < (t + 1) * this.n; i++) same = all[i] === this.stock[i];
      if (!same) break;
      for (let q = 0; q < 5; q++) found[q][t] = like.fan[q][t];
    }
    for (; t <= this.steps; t++) quantiles(this.stock, t * this.n, this.n).forEach((one, q) => { found[q][t] = one; });
    return found;
  }

  // Unmet need of a recipient since the date of knowledge, each quarter: 5th, 50th and 95th percentile.
  cumulative(r) {
    const row = this.rows[`flow.unmet.${r}`], sum = new Float64Array(this.n), found = [[], [], []], from = this.model.data.ahead - 1;
    for (let t = from; t <= this.steps; t++) {
      if ((t - from) % 3 === 0 || t === this.steps) quantiles(sum, 0, this.n, [0.05, 0.5, 0.95]).forEach((one, q) => found[q].push(one));
      if (t < this.steps) for (let i = 0, at = t * this.n; i < this.n; i++) sum[i] += row[at + i];
    }
    return found;
  }
}

// ------------------------------------------------------------ settings

const empty = () => ({ moved: {}, suspension: null, first: null, variant: null });

class Settings {
  constructor(data) {
    this.data = data;
    this.controls = new Map(data.controls.map(one => [one.path, one]));
    this.presets = data.policies.filter(one => one.shown && one.suspensions.length <= 1 && one.classes.flat().length <= 1);
    this.months = data.dates.length - 1;
    this.since = Math.min(data.ahead - 1, ...this.presets.flatMap(one => one.suspensions.map(two => this.month(two.start))));
  }

  month(date) { return (date.slice(0, 4) - this.data.dates[0].slice(0, 4)) * 12 + (date.slice(5, 7) - this.data.dates[0].slice(5, 7)); }

  own(path, variant) { return this.data.variant_sliders[variant]?.[path] ?? this.data.sliders[path]; }

  // A pin whose programs give what a variant gives otherwise, too, cannot stand beside it.
  clashes(path, variant) {
    const pins = this.data.pins[path], others = this.data.variants[variant];
    return Boolean(pins && others) && Object.keys(pins).some(m => m in others && Object.keys(pins[m].places).some(key => key in others[m].places));
  }

  // A setting in its plainest form: what stands where it stands anyway is left out, in the order of the controls.
  plain(given) {
    const moved = {};
    for (const [path, one] of this.controls) {
      const value = given.moved[path];
      if (value === undefined || this.clashes(path, given.variant)) continue;
      if (one.kind === "pin" || value !== this.own(path, given.variant)) moved[path] = value;
    }
    const one = given.suspension, works = one && one.recipients.length && one.munitions.length && one.channels.length;
    return { moved, suspension: one ? { ...one } : null, first: given.first, variant: given.variant, works: Boolean(works) };
  }

  preset(given) {
    const said = one => JSON.stringify([one.suspensions.map(two => this.text(two)), one.classes]);
    const wanted = said({ suspensions: given.suspension ? [given.suspension] : [], classes: given.first ? [[given.first]] : [] });
    return this.presets.find(one => said(one) === wanted) ?? null;
  }

  text(one) {
    const channel = (name, how) => one.channels.includes(name) ? one[how] : "-";
    return [one.start, one.end, one.let_through, one.recipients.join("."), one.munitions.join("."), channel("transfers", "transfers"),
      channel("new_production", "new_production")].join("_");
  }

  // The setting as it stands in an address.
  hash(given, kept) {
    const said = one => {
      const found = [];
      if (one.variant) found.push(["scenario", one.variant]);
      if (one.suspension) found.push(["suspend", this.text(one.suspension)]);
      if (one.first) found.push(["first", one.first]);
      return [...found, ...Object.entries(one.moved)].map(([key, value]) => `${key}=${value}`);
    };
    const all = [...said(this.plain(given)), ...(kept ? ["A", ...said(this.plain(kept)).map(one => `A.${one}`)] : [])];
    return all.length ? `#${HASH}&${this.data.scenario}&${all.join("&")}` : "";
  }

  // What an address says: the setting, the one kept, and the parts that were ignored. Nothing of it is run or shown as markup.
  read(hash) {
    const found = { now: empty(), kept: null, ignored: [] };
    const text = hash.replace(/^#/, "");
    if (!text || ["results"].includes(text)) return found;
    if (text.length > LONGEST) return { ...found, ignored: ["all of it, as it is too long"] };
    const [version, scenario, ...parts] = text.split("&");
    if (version !== HASH) return { ...found, ignored: [`all of it: version ${version.slice(0, 12)} is not known here`] };
    if (scenario !== this.data.scenario) return { ...found, ignored: ["all of it: it is of another scenario"] };
    const seen = new Set();
    for (const part of parts) {
      if (part.startsWith("A")) found.kept ??= empty();
      if (part === "A") continue;
      const [, kept, key, value] = /^(A\.)?([\w.]+)=([\w.,+-]*)$/.exec(part) ?? [];
      if (key === undefined || seen.has(`${kept}${key}`) || !this.take(kept ? found.kept : found.now, key, value)) found.ignored.push(part.slice(0, 40));
      seen.add(`${kept}${key}`);
    }
    for (const one of [found.now, found.kept]) {
      for (const path of one ? Object.keys(one.moved) : []) if (this.clashes(path, one.variant)) found.ignored.push(`${path} beside ${one.variant}`);
    }
    found.now = this.plain(found.now);
    found.kept &&= this.plain(found.kept);
    return found;
  }

  take(into, key, value) {
    if (key === "scenario") return Object.hasOwn(this.data.variants, value) && Boolean(into.variant = value);
    if (key === "first") return this.data.recipients.includes(value) && Boolean(into.first = value);
    if (key === "suspend") return Boolean(into.suspension = this.suspension(value));
    const one = this.controls.get(key), number = Number(value);
    if (!one || !/^\d+(\.\d{1,6})?$/.test(value) || number < one.least || number > one.most) return false;
    into.moved[key] = number;
    return true;
  }

  suspension(text) {
    const [start, end, share, who, which, transfers, production, more] = text.split("_").reduce((all, one) => {
      // Names of munitions may have underscores: parts are put together again until they are names.
      const last = all.length - 1;
      if (all.length === 5 && !all[4].split(".").every(name => this.data.titles.munitions[name] !== undefined || !name)) all[last] += `_${one}`;
      else all.push(one);
      return all;
    }, []);
    const day = one => /^\d{4}-\d\d-\d\d$/.test(one) && !Number.isNaN(Date.parse(one)) && new Date(one).toISOString().startsWith(one);
    const names = (one, known) => one === "" ? [] : one?.split(".").every(name => known.includes(name)) ? known.filter(name => one.split(".").includes(name)) : null;
    const recipients = names(who, this.data.recipients), munitions = names(which, Object.keys(this.data.programs)), first = this.data.dates[0], last = this.data.dates.at(-1);
    const fine = more === undefined && day(start ?? "") && start >= first && start < last && (end === "horizon" || (day(end ?? "") && end > start && end <= last)) &&
      /^(0(\.\d{1,4})?|1)$/.test(share) && recipients && munitions && ["-", "deferred", "cancelled"].includes(transfers) && ["-", "held", "diverted"].includes(production);
    if (!fine) return null;
    return {
      start, end, let_through: Number(share), recipients, munitions,
      channels: [...(transfers === "-" ? [] : ["transfers"]), ...(production === "-" ? [] : ["new_production"])],
      transfers: transfers === "-" ? "deferred" : transfers, new_production: production === "-" ? "held" : production,
    };
  }

  // ---- for other tools

  toml(one) {
    const list = names => `[${names.map(name => `"${name}"`).join(", ")}]`;
    return [
      ["start", one.start], ["end", one.end === "horizon" ? '"horizon"' : one.end], ["let_through", this.number(one.let_through)],
      ["recipients", list(one.recipients)], ["munitions", list(one.munitions)], ["channels", list(one.channels)],
      ["transfers", `"${one.transfers}"`], ["new_production", `"${one.new_production}"`],
    ];
  }

  number(value) { return Number.isInteger(value) ? `${value}.0` : `${value}`; }

  sets(moved) {
    return Object.entries(moved).map(([path, value]) => `${path}${this.controls.get(path).kind === "factor" ? ".scale" : ""}=${this.number(value)}`);
  }

  // The commands that give the numbers of the lines: your scenario, and the baseline with your assumptions where levers move parameters.
  commands(given) {
    const one = this.plain(given), sets = [...this.data.given, ...this.sets(one.moved)], preset = this.preset(one);
    let policy = preset?.name;
    if (!policy) {
      const wanted = this.data.policies.find(two => two.shown && (one.first ? two.classes.length : two.suspensions.length));
      if (!wanted) return null;
      policy = one.works || one.first ? wanted.name : "none";
      if (one.first && wanted.classes.flat().join() !== one.first) sets.push(`policies.${policy}.allocation.classes=[["${one.first}"]]`);
      if (one.works) sets.push(`policies.${policy}.suspensions=[{${this.toml(one.suspension).map(([key, value]) => `${key}=${value}`).join(", ")}}]`);
    }
    const command = (policies, all) => [`stockpile ensemble ${one.variant ?? this.data.scenario} --members ${this.data.members} --seed ${this.data.seed} --policy ${policies}`,
      ...all.map(two => `--set '${two.replaceAll("'", "'\\''")}'`)].join(" ");
    const found = [command([...new Set(["none", policy])].join(), sets)];
    const assumed = Object.fromEntries(Object.entries(one.moved).filter(([path]) => !this.controls.get(path).is_lever));
    if (Object.keys(assumed).length < Object.keys(one.moved).length) found.push(command("none", [...this.data.given, ...this.sets(assumed)]));
    return found;
  }

  files(given) {
    const one = this.plain(given), changes = Object.entries(one.moved).map(([path, value]) => [
      "[[changes]]", `path = "${path}"`, `${this.controls.get(path).kind === "factor" ? "scale" : "value"} = ${this.number(value)}`, ...(one.variant ? ["again = true"] : []), 'reason = "set in the explorer"', ""].join("\n"));
    const floor = this.data.policies.find(two => two.name === "none") ?? this.data.policies[0];
    return { "explorer.toml": ['title = "A setting of the explorer"', 'description = "Made in the live page."', `base = "${one.variant ?? this.data.scenario}"`, "", ...changes].join("\n"),
      "explorer/policies/explorer_policy.toml": ['title = "A policy of the explorer"', 'description = "Made in the live page."', `transfer_floor = "${floor.transfer_floor}"`,
        `review_level = "${floor.review_level}"`, "", ...(one.first ? ["[allocation]", 'use = "pro_rata"', `classes = [["${one.first}"]]`, ""] : []),
        ...(one.works ? ["[[suspensions]]", ...this.toml(one.suspension).map(([key, value]) => `${key} = ${value}`), ""] : [])].join("\n") };
  }
}

// ------------------------------------------------------------ the page

class Page {
  constructor(data, read) {
    this.data = data;
    performance.mark("unpacked");
    this.model = new Model(data, read);
    performance.mark("prepared");
    this.settings = new Settings(data);
    this.now = empty();
    this.kept = null;
    this.shown = { base: true, mine: true, yours: true, kept: true };
    this.past = [];
    this.future = [];
    this.found = Object.fromEntries(LINES.map(line => [line, {}]));
    this.keys = Object.fromEntries(LINES.map(line => [line, {}]));
    this.times = [];
    this.spare = {};
    this.widgets = [];
    this.asked = false;
    this.build();
    this.open(location.hash);
    addEventListener("hashchange", () => { if (location.hash !== this.written) this.open(location.hash); });
    $("live").hidden = false;
    this.redraw();
    document.documentElement.dataset.ready = performance.now().toFixed(1);
  }

  open(hash) {
    const { now, kept, ignored } = this.settings.read(hash);
    if (hash === "#results") return;
    this.now = now;
    this.kept = kept;
    this.past = [];
    this.future = [];
    this.last = this.snapshot();
    this.tell(ignored.length ? `Ignored in the address: ${ignored.slice(0, 5).join("; ")}${ignored.length > 5 ? `, and ${ignored.length - 5} more` : ""}.` : "");
    this.sync();
    this.ask();
  }

  tell(text) { $("status").textContent = text; }

  snapshot() { return JSON.stringify([this.now, this.kept]); }

  // After a move is done: it can be undone, and the address says it.
  commit() {
    this.now = this.settings.plain(this.now);
    const next = this.snapshot();
    if (next !== this.last) {
      this.past.push(this.last);
      this.future = [];
      this.last = next;
    }
    this.sync();
    this.ask();
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.last);
    this.last = from.pop();
    [this.now, this.kept] = JSON.parse(this.last);
    this.sync();
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.redraw(); });
  }

  // ---- what is worked out

  setting(line) {
    if (line === "base") return { sliders: {}, suspensions: [], classes: [], variant: null };
    const one = this.settings.plain(line === "kept" ? this.kept : this.now), levers = line !== "mine";
    const moved = Object.entries(one.moved).filter(([path]) => levers || !this.settings.controls.get(path).is_lever);
    return {
      sliders: { ...this.data.variant_sliders[one.variant], ...Object.fromEntries(moved) },
      suspensions: levers && one.works ? [one.suspension] : [], classes: levers && one.first ? [[one.first]] : [], variant: one.variant,
    };
  }

  calculate() {
    for (const line of LINES) {
      if (line === "kept" && !this.kept) { this.found.kept = {}; this.keys.kept = {}; continue; }
      const { sliders, suspensions, classes, variant } = this.setting(line);
      for (const name of this.model.munitions) {
        const reaches = path => (this.settings.controls.get(path).munition ?? name) === name;
        const own = Object.fromEntries(Object.entries(sliders).filter(([path]) => reaches(path)));
        const halts = suspensions.filter(one => one.munitions.includes(name));
        const key = JSON.stringify([own, halts, classes, variant]);
        if (this.keys[line][name] === key) continue;
        this.keys[line][name] = key;
        const same = LINES.find(other => other !== line && this.keys[other][name] === key && this.found[other][name]?.key === key);
        const old = this.found[line][name];
        if (old && LINES.every(other => other === line || this.found[other][name] !== old)) this.spare[name] = old.rows;
        this.found[line][name] = same ? this.found[same][name]
          : new Line(this.model, name, this.model.run(name, { sliders: own, suspensions: halts, classes, variant }, this.spare[name]), this.data.floor[name], this.found[line === "base" ? "" : "base"]?.[name]);
        if (!same) this.spare[name] = undefined;
        this.found[line][name].key = key;
      }
    }
  }

  redraw() {
    const began = performance.now();
    this.calculate();
    const worked = performance.now();
    for (const name of this.model.munitions) this.draw(name);
    this.say();
    this.weigh();
    this.fill();
    this.beside();
    this.written = this.settings.hash(this.now, this.kept);
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.write(), 120);
    this.times.push([performance.now() - began, worked - began]);
    document.documentElement.dataset.drawn = this.times.length;
  }

  write() {
    if (location.hash !== this.written) try { history.replaceState(null, "", this.written || location.pathname + location.search); } catch { location.hash = this.written; }
  }

  // ---- charts

  panel(name) {
    const { steps } = this.model, n = this.data.recipients.length, text = (x, y, anchor, said = "") => s("text", { x, y, "text-anchor": anchor }, said);
    const made = { x: t => 48 + t * 300 / steps, lines: {}, minis: [], ticks: [0, 1, 2].map(k => text(44, 154 - 70 * k, "end")) };
    made.xs = Array.from({ length: steps + 1 }, (_, t) => made.x(t).toFixed(1));
    const years = this.data.dates.flatMap((date, t) => date.slice(5, 7) === "01" && date.slice(0, 4) % 2 === 0 ? [[date.slice(0, 4), t]] : []);
    made.pause = s("path", { class: "pause" });
    made.floor = s("path", { class: "floor" });
    for (const line of LINES) made.lines[line] = ["outer", "inner", "median", "dots"].map(kind => s("path", { class: kind }));
    made.groups = Object.fromEntries(LINES.map(line => [line, s("g", { class: line }, ...made.lines[line])]));
    made.svg = s("svg", { viewBox: "0 0 360 204", role: "img" },
      made.pause, ...[0, 1, 2].map(k => s("path", { class: "grid", d: `M48 ${150 - 70 * k}H348` })), ...LINES.map(line => made.groups[line]), made.floor,
      s("path", { class: "now", d: `M${made.x(this.data.ahead - 1)} 6V150` }), text(made.x(this.data.ahead - 1) - 3, 16, "end", "known"), ...made.ticks,
      ...years.map(([year, t]) => text(made.x(t), 202, "middle", year)));
    made.reading = h("figcaption", { class: "reading" });
    const cards = this.data.recipients.map(who => {
      const mini = { said: h("p"), lines: Object.fromEntries(LINES.map(line => [line, ["outer", "median"].map(kind => s("path", { class: kind }))])) };
      mini.svg = s("svg", { viewBox: "0 0 120 56", "aria-hidden": "true" }, s("path", { class: "grid", d: "M2 52H118" }), ...LINES.map(line => s("g", { class: line }, ...mini.lines[line])));
      mini.groups = [...mini.svg.querySelectorAll("g")];
      made.minis.push(mini);
      return h("div", {}, mini.svg, mini.said);
    });
    const id = `title-${name}`;
    $("charts").append(h("figure", { id: `chart-${name}` }, h("h3", { id }, `${this.data.titles.munitions[name]}: US stock, rounds`), made.svg, made.reading,
      h("div", { class: "minis", role: "group", "aria-label": "Unmet need since the date of knowledge, cumulated" }, ...cards)));
    made.svg.setAttribute("aria-labelledby", id);
    return made;
  }

  top(most) {
    const power = 10 ** Math.floor(Math.log10(Math.max(most, 1))), wanted = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(one => one * power >= most) * power;
    return wanted;
  }

  draw(name) {
    const made = this.panels[name], all = LINES.filter(line => this.found[line][name] && this.shown[line]), seen = new Set();
    const drawn = all.toReversed().filter(line => !seen.has(this.found[line][name]) && seen.add(this.found[line][name]));
    const most = Math.max(1, ...all.map(line => this.found[line][name].fan[4].reduce((a, b) => Math.max(a, b), 0)));
    const top = this.top(most), y = value => 150 - 140 * Math.min(value, top) / top, one = this.found.yours[name], floor = y(one.middle);
    made.ticks.forEach((tick, k) => { const said = brief(top * k / 2); if (tick.textContent !== said) tick.textContent = said; });
    made.floor.setAttribute("d", `M48 ${floor}H348`);
    const halt = this.setting("yours").suspensions.find(two => two.munitions.includes(name));
    made.pause.setAttribute("d", halt ? `M${made.x(this.model.at(halt.start))} 6V150H${made.x(halt.end === "horizon" ? this.model.steps : this.model.at(halt.end))}V6Z` : "");
    const trace = (row, back) => {
      let text = "";
      const last = row.length - 1;
      for (let k = 0; k <= last; k++) { const t = back ? last - k : k; text += `${k || back ? "L" : "M"}${made.xs[t]} ${Math.round(10 * y(row[t])) / 10}`; }
      return text;
    };
    for (const line of LINES) {
      const found = this.found[line][name], is = drawn.includes(line), paths = made.lines[line];
      made.groups[line].style.display = is ? "" : "none";
      if (!is || made.groups[line].drawn === `${found.key}${top}`) continue;
      made.groups[line].drawn = `${found.key}${top}`;
      const [a, b, c, d, e] = found.fan;
      paths[0].setAttribute("d", `${trace(e)}${trace(a, true)}Z`);
      paths[1].setAttribute("d", `${trace(d)}${trace(b, true)}Z`);
      paths[2].setAttribute("d", trace(c));
      let dots = "";
      found.first.forEach((t, i) => { if (t < NEVER) dots += `M${made.xs[t]} ${158 + 2 * LINES.indexOf(line) + i % 10 * 2.5}h0`; });
      paths[3].setAttribute("d", dots);
    }
    this.minis(name, made, drawn);
    made.reading.textContent = this.reading(name);
  }

  minis(name, made, drawn) {
    made.minis.forEach((mini, r) => {
      const most = Math.max(1, ...drawn.map(line => this.found[line][name].need[r][2].at(-1))), y = value => Math.round(10 * (52 - 48 * value / most)) / 10;
      const trace = (row, back) => row.map((_, k) => { const t = back ? row.length - 1 - k : k; return `${k || back ? "L" : "M"}${Math.round(20 + 1160 * t / (row.length - 1)) / 10} ${y(row[t])}`; }).join("");
      LINES.forEach((line, g) => {
        const is = drawn.includes(line), found = this.found[line][name];
        mini.groups[g].style.display = is ? "" : "none";
        if (!is || mini.groups[g].drawn === `${found.key}${most}`) return;
        mini.groups[g].drawn = `${found.key}${most}`;
        const [low, middle, high] = found.need[r];
        mini.lines[line][0].setAttribute("d", `${trace(high)}${trace(low, true)}Z`);
        mini.lines[line][1].setAttribute("d", trace(middle));
      });
      const [low, middle, high] = this.found.yours[name].need[r].map(row => row.at(-1));
      mini.said.textContent = `${this.data.titles.recipients[this.data.recipients[r]]}, unmet: ${brief(middle)} (${brief(low)} to ${brief(high)})`;
    });
  }

  reading(name) {
    const one = this.found.yours[name], n = one.n, other = this.found.mine[name], pinned = Object.keys(this.now.moved).filter(path => this.settings.controls.get(path).kind === "pin" && (this.settings.controls.get(path).munition ?? name) === name);
    const when = one.below ? `; of these half by ${month(this.data.dates[Math.ceil(one.typical)])}` : "";
    return `Below the floor at some date in ${one.below} of ${n} draws${when} (without your levers: ${other.below}).` +
      (pinned.length ? ` The range is narrower than what is known: ${pinned.map(path => this.settings.controls.get(path).label).join(" and ")} no longer differs between draws.` : "");
  }

  // ---- words

  change(name) {
    const a = this.found.mine[name], b = this.found.yours[name], less = (x, y) => quantiles(x.map((one, i) => one - y[i]), 0, a.n, [0.05, 0.5, 0.95]);
    return { name, a, b, same: a === b, stock: less(b.atEnd, a.atEnd), unmet: this.data.recipients.map((_, r) => less(b.unmet[r], a.unmet[r])), scale: Math.max(a.middle, 1) };
  }

  say() {
    const found = this.model.munitions.map(name => this.change(name)), clear = ([low, , high]) => low > LEAST || high < -LEAST, flat = ([low, , high]) => Math.abs(low) <= LEAST && Math.abs(high) <= LEAST;
    const range = ([low, middle, high]) => `${signed(middle)} (90 % of draws: ${signed(low)} to ${signed(high)})`, short = name => this.data.titles.short[name];
    const assumed = this.model.munitions.some(name => this.found.base[name] !== this.found.mine[name]), end = day(this.data.dates.at(-1));
    let text;
    if (found.every(one => one.same || (flat(one.stock) && one.unmet.every(flat)))) {
      text = found.every(one => one.same) ? "No lever is moved: your scenario is the baseline with your assumptions." : "The levers that are moved change nothing here, in any of 90 % of the draws.";
    } else {
      const sure = found.filter(one => clear(one.stock)).sort((p, q) => Math.abs(q.stock[1]) / q.scale - Math.abs(p.stock[1]) / p.scale), one = sure[0];
      const close = found.filter(two => !clear(two.stock) && !flat(two.stock)).map(two => short(two.name)), still = found.filter(two => flat(two.stock)).map(two => short(two.name));
      text = one ? `With your levers, US stock of ${short(one.name)} on ${end} changes by ${range(one.stock)} rounds, and ${one.b.below} instead of ${one.a.below} of ${one.a.n} draws fall below the floor. ` : "";
      text += sure.slice(1).map(two => `${short(two.name)}: ${range(two.stock)}. `).join("");
      if (close.length) text += `US stock of ${close.join(", ")}: too close to call. `;
      if (still.length) text += `${still.join(", ")}: no change. `;
      const [need] = found.flatMap(two => two.unmet.map((row, r) => ({ two, row, r }))).filter(({ row }) => clear(row)).sort((p, q) => Math.abs(q.row[1]) / q.two.scale - Math.abs(p.row[1]) / p.two.scale);
      text += need ? `Change in ${possessive(this.data.titles.recipients[this.data.recipients[need.r]])} unmet request, ${short(need.two.name)}: ${range(need.row)}.`
        : found.some(two => two.unmet.some(row => !flat(row))) ? "Change in unmet need: too close to call." : "Unmet need does not change.";
    }
    if (assumed) {
      const moved = this.model.munitions.map(name => [name, this.found.base[name], this.found.mine[name]]).filter(([, a, b]) => a.below !== b.below).map(([name, a, b]) => `${short(name)} ${b.below} instead of ${a.below}`);
      text += ` Your assumptions alone: draws below the floor, ${moved.join(", ") || "as many as before"}.`;
    }
    if ($("sentence").textContent !== text) $("sentence").textContent = text;
  }

  weigh() {
    const list = $("materiality"), [halt] = this.setting("yours").suspensions;
    if (!list.children.length) list.append(...this.model.munitions.map(() => h("li")), h("li"));
    this.model.munitions.forEach((name, k) => {
      const short = this.data.titles.short[name], li = list.children[k];
      if (!halt?.munitions.includes(name)) { li.textContent = `${short}: nothing is suspended.`; return; }
      const found = this.materiality(name, halt), show = (values, unit, digits = 3) => { const [low, middle, high] = values.map(one => three.format(one)); return `${middle}${unit} (${low} to ${high})`; };
      li.textContent = found.moved[2] < LEAST ? `${short}: nothing moves.`
        : `${short}: ${show(found.moved, "")} rounds moved: ${show(found.of_stock, " %")} of the stock, ${show(found.of_output, "")} months of output, ${show(found.of_largest, " %")} of the largest demand.`;
    });
    list.lastChild.hidden = Boolean(halt) || !this.now.first;
    if (!list.lastChild.hidden) list.lastChild.textContent = "An order of recipients shares out otherwise; it holds nothing back.";
  }

  materiality(name, halt) {
    const a = this.found.mine[name], b = this.found.yours[name], n = a.n, at = Math.max(Math.floor(this.model.at(halt.start)), 0), each = this.data.recipients.map((_, r) => r);
    const moved = new Float64Array(n), largest = new Float64Array(n);
    for (const r of each) b.sums(`flow.moved.${r}`).forEach((one, i) => { moved[i] += one; });
    for (const key of ["flow.own_need", ...each.map(r => `flow.need.${r}`)]) {
      const row = a.rows[key];
      for (let k = 0; k < row.length; k += n) for (let i = 0; i < n; i++) if (row[k + i] > largest[i]) largest[i] = row[k + i];
    }
    const over = (below, factor) => quantiles(moved.map((one, i) => one === 0 ? 0 : factor * one / below[i]), 0, n, [0.05, 0.5, 0.95]);
    const from = row => row.subarray(at * n, (at + 1) * n);
    return { moved: quantiles(moved, 0, n, [0.05, 0.5, 0.95]), of_stock: over(from(a.stock), 100), of_output: over(from(a.rows["flow.delivered"]), 1), of_largest: over(largest, 100) };
  }

  // ---- tables

  columns() {
    const range = ([low, , middle, , high]) => `${rounds(middle)} (${rounds(low)} to ${rounds(high)})`;
    return [
      ["Stock at the end", one => range(one.said[0])], [`Lowest stock after ${day(this.data.as_of)}`, one => range(one.said[1])],
      ["Draws below the floor", one => `${one.below} of ${one.n}`], ["First below, median of those", one => one.below ? month(this.data.dates[Math.ceil(one.typical)]) : "–"],
      ...this.data.recipients.map((who, r) => [`Unmet, ${this.data.titles.recipients[who]}`, one => range(one.said[2 + r])]),
    ];
  }

  fill() {
    const table = $("numbers");
    if (!this.cells) {
      const columns = this.columns();
      table.tHead.append(h("tr", {}, ...["Munition", "Line", ...columns.map(([title]) => title)].map(one => h("th", { scope: "col" }, one))));
      this.cells = this.model.munitions.flatMap(name => LINES.map((line, k) => {
        const cells = columns.map(([, said]) => [h("td"), said]);
        const tr = h("tr", { class: k ? null : "first" }, h("th", { scope: "row" }, this.data.titles.short[name]), h("th", { scope: "row" }, NAMED[line]), ...cells.map(([one]) => one));
        table.tBodies[0].append(tr);
        return { name, line, cells, tr, shown: null };
      }));
    }
    for (const row of this.cells) {
      const found = this.found[row.line][row.name];
      row.tr.hidden = !found;
      if (!found || row.shown === found) continue;
      row.shown = found;
      for (const [cell, said] of row.cells) cell.textContent = said(found);
    }
  }

  described(one) {
    const found = new Map([["Scenario of the files", one.variant ? this.data.titles.scenarios[one.variant] : this.data.title]]);
    const halt = one.suspension;
    found.set("Suspension", halt ? `${day(halt.start)} to ${halt.end === "horizon" ? "the end" : day(halt.end)}; ${halt.recipients.map(who => this.data.titles.recipients[who]).join(", ") || "nobody"}; ${halt.munitions.map(m => this.data.titles.short[m]).join(", ") || "no munition"}; ` +
      `${halt.channels.map(channel => channel === "transfers" ? `transfers ${halt.transfers}` : `new production ${halt.new_production}`).join(", ") || "nothing"}; ${three.format(100 * halt.let_through)} % goes on` : "none");
    found.set("Served first", one.first ? this.data.titles.recipients[one.first] : "nobody");
    for (const [path, value] of Object.entries(one.moved)) found.set(this.label(this.settings.controls.get(path)), this.value(this.settings.controls.get(path), value));
    return found;
  }

  beside() {
    $("side").hidden = !this.kept;
    $("drop").hidden = !this.kept;
    if (!this.kept) return;
    const key = this.snapshot();
    if (this.besides === key) return;
    this.besides = key;
    const a = this.described(this.kept), b = this.described(this.now);
    $("differences").replaceChildren(...[...new Set([...a.keys(), ...b.keys()])].map(key => h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, a.get(key) ?? "as in the files"), h("td", {}, b.get(key) ?? "as in the files"))));
  }

  // ---- controls

  label(one) { return (one.munition ? `${this.data.titles.short[one.munition]}: ` : "") + one.label; }

  value(one, value) {
    if (one.kind === "factor") return `× ${value.toFixed(2)}`;
    return one.path === "model.slip" ? `${value} months` : `${three.format(100 * value)} %`;
  }

  range(id, label, least, most, step, moved, buttons = []) {
    const input = h("input", { type: "range", id, min: least, max: most, step, oninput: () => { moved(Number(input.value)); this.ask(); this.sync(input); }, onchange: () => this.commit() });
    const output = h("output", { for: id }), note = h("span", { class: "note", hidden: true });
    return { input, output, note, box: h("div", { class: "control" }, h("label", { for: id }, label), output, h("span", { class: "buttons" }, ...buttons), input, note) };
  }

  control(one, label = one.label) {
    const id = `c-${one.path.replaceAll(".", "-")}`, whole = this.label(one);
    const back = h("button", { type: "button", "aria-label": `Reset ${whole}`, onclick: () => { delete this.now.moved[one.path]; this.commit(); made.input.focus(); } }, "↺");
    const why = h("button", { type: "button", "aria-label": `Sources of ${whole}`, onclick: () => this.sources(one) }, "i");
    const made = this.range(id, label, one.least, one.most, one.step, value => { this.now.moved[one.path] = value; }, [back, why]);
    made.input.setAttribute("aria-label", whole);
    this.widgets.push(() => {
      const clash = this.settings.clashes(one.path, this.now.variant), is = one.path in this.now.moved && !clash, value = is ? this.now.moved[one.path] : this.settings.own(one.path, this.now.variant);
      made.input.value = value;
      const said = this.value(one, value) + (one.kind === "pin" && !is ? ", drawn" : "");
      made.output.textContent = said;
      made.input.setAttribute("aria-valuetext", said);
      made.input.disabled = clash;
      back.disabled = !is;
      made.box.classList.toggle("moved", is);
      made.note.hidden = !clash && !(one.kind === "pin" && is) && !(one.kind === "factor" && value === 0 && is);
      made.note.textContent = clash ? "The scenario of the files chosen sets this." : one.kind === "pin" ? "The same in all draws: its range is gone." + (one.drawn_with.length ? " What was drawn together with it is now drawn by itself." : "") : "Nothing is left of it, nor of its range.";
    });
    return made.box;
  }

  select(id, label, options, get, set, hint) {
    const input = h("select", { id, onchange: () => { set(input.value); this.commit(); } }, ...options.map(([value, title]) => h("option", { value }, title)));
    this.widgets.push(() => { input.value = get(); });
    return h("div", { class: "field" }, h("label", { for: id }, label), input, ...(hint ? [hint] : []));
  }

  choices(legend, names, titles, key) {
    const boxes = names.map(name => {
      const input = h("input", { type: "checkbox", onchange: () => { this.halt()[key] = names.filter(one => one === name ? input.checked : this.now.suspension[key].includes(one)); this.commit(); } });
      this.widgets.push(() => { input.checked = (this.now.suspension ?? this.usual)[key].includes(name); input.disabled = !this.now.suspension; });
      return h("label", {}, input, titles[name]);
    });
    return h("div", { role: "group", "aria-label": legend, class: "field" }, h("span", {}, legend), h("div", { class: "choices" }, ...boxes));
  }

  halt() { return this.now.suspension ??= structuredClone(this.usual); }

  length(one) { return one.end === "horizon" ? this.model.steps - this.settings.month(one.start) : Math.max(this.settings.month(one.end) - this.settings.month(one.start), 0); }

  halts() {
    const { since } = this.settings, { steps } = this.model, dates = this.data.dates, reach = (start, length) => start + length >= steps ? "horizon" : dates[start + length];
    const on = h("input", { type: "checkbox", id: "suspend", onchange: () => { this.now.suspension = on.checked ? structuredClone(this.usual) : null; this.commit(); } });
    const start = this.range("start", "Starts", since, steps - 1, 1, value => { const one = this.halt(), length = Math.max(this.length(one), 1), open = one.end === "horizon"; one.start = dates[value]; one.end = open ? "horizon" : reach(value, length); });
    const length = this.range("length", "Lasts", 1, 60, 1, value => { const one = this.halt(), from = this.settings.month(one.start); one.start = dates[from]; one.end = reach(from, value); });
    const open = h("input", { type: "checkbox", onchange: () => { const one = this.halt(), from = this.settings.month(one.start); one.end = open.checked ? "horizon" : reach(from, 6); this.commit(); } });
    const share = this.range("share", "Share that goes on", 0, 1, 0.05, value => { this.halt().let_through = value; });
    this.widgets.push(() => {
      const one = this.now.suspension ?? this.usual, is = Boolean(this.now.suspension);
      on.checked = is;
      for (const { input } of [start, length, share]) input.disabled = !is;
      open.disabled = !is;
      open.checked = one.end === "horizon";
      length.input.disabled = !is || open.checked;
      const set = (made, value, said) => { made.input.value = value; made.output.textContent = said; made.input.setAttribute("aria-valuetext", said); };
      set(start, this.settings.month(one.start), day(one.start));
      const months = this.length(one);
      set(length, Math.max(months, 1), open.checked ? "to the end" : dates.includes(one.end) && dates.includes(one.start) ? `${months} month${months === 1 ? "" : "s"}` : `until ${day(one.end)}`);
      set(share, one.let_through, `${three.format(100 * one.let_through)} %`);
    });
    const how = (id, label, channel, key, ways) => this.select(id, label, [["-", "goes on"], ...ways], () => { const one = this.now.suspension ?? this.usual; return one.channels.includes(channel) ? one[key] : "-"; },
      value => { const one = this.halt(); one.channels = ["transfers", "new_production"].filter(two => two === channel ? value !== "-" : one.channels.includes(two)); if (value !== "-") one[key] = value; });
    return h("fieldset", {}, h("legend", {}, h("label", {}, on, " Suspend deliveries")), start.box, length.box, h("div", { class: "choices" }, h("label", {}, open, "without end")), share.box,
      this.choices("To whom", this.data.recipients, this.data.titles.recipients, "recipients"), this.choices("Of which munitions", this.model.munitions, this.data.titles.short, "munitions"),
      how("transfers", "Transfers from US stock", "transfers", "transfers", [["deferred", "deferred: made up for later"], ["cancelled", "cancelled"]]),
      how("production", "New production for the recipient", "new_production", "new_production", [["held", "held: released later"], ["diverted", "diverted to US stock"]]));
  }

  build() {
    const { data, settings } = this, levers = $("levers"), assumptions = $("assumptions");
    this.usual = data.policies.flatMap(one => one.suspensions).find(one => one.channels.length === 2) ?? {
      start: data.dates[data.ahead], end: "horizon", let_through: 0, recipients: data.recipients, munitions: this.model.munitions, channels: ["transfers", "new_production"], transfers: "deferred", new_production: "held" };
    const six = data.policies.find(one => one.name === "suspension_6_months")?.suspensions[0];
    if (six) this.usual = six;
    levers.append(this.select("preset", "Policy of the files", [...settings.presets.map(one => [one.name, one.title]), ["", "your own"]], () => settings.preset(this.now)?.name ?? "",
      name => { const one = settings.presets.find(two => two.name === name); if (one) { this.now.suspension = one.suspensions.length ? structuredClone(one.suspensions[0]) : null; this.now.first = one.classes.flat()[0] ?? null; } }), this.halts(),
      this.select("first", "Transfers from stock, when short", [["", "shared out by request"], ...data.recipients.map(who => [who, `${data.titles.recipients[who]} first`])], () => this.now.first ?? "", value => { this.now.first = value || null; }));
    const group = (title, found, label) => h("fieldset", {}, h("legend", {}, title), ...found.map(one => this.control(one, label(one))));
    const of = test => data.controls.filter(one => one.is_lever && test(one.path)), short = one => data.titles.short[one.munition];
    levers.append(group("Transfer floor, share of the stock of March 2022", of(path => path.includes(".floors.")), short),
      group("US share of new production", of(path => path.endsWith(".us_share")), short), group("Ramp of production", of(path => path === "model.slip"), one => one.label));
    assumptions.append(h("p", { class: "small" }, "A factor × multiplies what the files have, in every draw, so the range moves with it."),
      this.select("variant", "Scenario of the files", [["", data.title], ...Object.entries(data.titles.scenarios)], () => this.now.variant ?? "", value => { this.now.variant = value || null; }));
    for (const name of this.model.munitions) {
      const found = data.controls.filter(one => !one.is_lever && one.munition === name);
      assumptions.append(h("details", {}, h("summary", {}, data.titles.munitions[name]), ...found.map(one => this.control(one))));
    }
    for (const line of LINES) {
      const input = h("input", { type: "checkbox", checked: true, onchange: () => { this.shown[line] = input.checked; this.ask(); } });
      const swatch = s("svg", { class: `swatch ${line}`, viewBox: "0 0 32 12", "aria-hidden": "true" }, s("path", { class: "outer", d: "M0 1H32V11H0Z" }), s("path", { class: "median", d: "M0 6H32" }));
      const label = h("label", {}, input, swatch, NAMED[line]);
      if (line === "kept") this.widgets.push(() => { label.hidden = !this.kept; });
      $("legend").append(label);
    }
    this.panels = Object.fromEntries(this.model.munitions.map(name => [name, this.panel(name)]));
    this.widgets.push(() => { $("undo").disabled = !this.past.length; $("redo").disabled = !this.future.length; });
    const on = (id, does) => $(id).addEventListener("click", does);
    on("undo", () => this.travel(this.past, this.future));
    on("redo", () => this.travel(this.future, this.past));
    on("reset", () => { this.now = empty(); this.commit(); });
    on("keep", () => { this.kept = settings.plain(structuredClone(this.now)); this.commit(); this.tell("A is kept. Go on from here; A stays as it is."); });
    on("drop", () => { this.kept = null; this.commit(); $("keep").focus(); });
    on("copy-link", () => this.copy("Link", this.link()));
    on("copy-command", () => this.copy("Command line", this.command()));
    on("copy-toml", () => this.copy("As TOML", this.toml()));
    on("save-csv", () => this.save("stockpile_explorer.csv", this.csv(), "text/csv"));
    on("save-svg", () => this.save("stockpile_explorer.svg", this.svg(), "image/svg+xml"));
    addEventListener("keydown", event => {
      if (!(event.ctrlKey || event.metaKey) || event.target.closest("textarea")) return;
      const key = event.key.toLowerCase();
      if (key === "z" || key === "y") { event.preventDefault(); key === "y" || event.shiftKey ? this.travel(this.future, this.past) : this.travel(this.past, this.future); }
    });
  }

  sync(except) { for (const one of this.widgets) one(except); }

  // ---- what is taken along

  link() { return location.href.split("#")[0] + this.settings.hash(this.now, this.kept); }

  command() {
    const found = this.settings.commands(this.now);
    if (!found) return "# These policies cannot be written as a command; take the TOML.";
    return found.map((one, k) => (k ? "# baseline with your assumptions:\n" : "") + one).join("\n");
  }

  toml() {
    const found = Object.entries(this.settings.files(this.now)).map(([name, text]) => `# ---- ${name}\n${text}`);
    return `# Two files, by the names that stand over them, and the command that reads them:\n# stockpile ensemble explorer.toml --params explorer --members ${this.data.members} --seed ${this.data.seed} --policy none,explorer_policy${this.data.given.map(two => ` --set '${two}'`).join("")}\n\n${found.join("\n")}`;
  }

  csv() {
    const lines = ["line,munition,quantity,recipient,date,q05,q25,q50,q75,q95"];
    for (const line of LINES) for (const name of this.model.munitions) {
      const found = this.found[line][name];
      if (!found) continue;
      this.data.dates.forEach((date, t) => lines.push([line, name, "us_on_hand", "us", date, ...found.fan.map(row => row[t])].join()));
      this.data.recipients.forEach((who, r) => lines.push([line, name, "total_unmet", who, this.data.dates.at(-1), ...found.said[2 + r]].join()));
    }
    return lines.join("\n") + "\n";
  }

  svg() {
    const style = getComputedStyle(document.documentElement), colour = name => style.getPropertyValue(`--${name}`).trim();
    const rules = [...document.styleSheets[0].cssRules].map(one => one.cssText).filter(one => /^(svg|\.(grid|floor|now|pause|median|dots|base|mine|yours|kept)\b)/.test(one)).join("\n").replace(/var\(--(\w+)\)/g, (_, name) => colour(name));
    const all = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: "0 0 740 500", width: 1480, height: 1000 }, s("style", {}, rules), s("rect", { width: 740, height: 500, fill: colour("paper") }));
    this.model.munitions.forEach((name, k) => {
      const at = { x: 5 + 370 * (k % 2), y: 28 + 236 * Math.floor(k / 2) }, copy = this.panels[name].svg.cloneNode(true);
      for (const [key, value] of Object.entries({ ...at, width: 360, height: 204 })) copy.setAttribute(key, value);
      all.append(s("text", { x: at.x, y: at.y - 8 }, `${this.data.titles.munitions[name]}: US stock, rounds`), copy);
    });
    all.append(s("text", { x: 5, y: 494 }, `stockpile ${this.data.version}, ${this.data.scenario}; grey: baseline, orange: with your assumptions, blue: your scenario`));
    return new XMLSerializer().serializeToString(all);
  }

  save(name, text, type) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    this.tell(`${name} is made.`);
  }

  copy(title, text) {
    const area = h("textarea", { readonly: true, "aria-label": title, spellcheck: "false" }), said = h("p", { class: "small", role: "status" });
    area.value = text;
    this.dialog(title, area, said);
    area.select();
    (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => { said.textContent = "Copied."; }, () => { said.textContent = "Select and copy it from here."; });
  }

  dialog(title, ...children) {
    $("dialog-title").textContent = title;
    $("dialog-body").replaceChildren(...children);
    $("dialog").showModal();
  }

  sources(one) {
    const found = one.rests_on.map(rest => h("section", {},
      h("p", {}, h("code", {}, rest.path), `: ${three.format(rest.value)} ${rest.unit}${rest.low === null ? "" : ` (${three.format(rest.low)} to ${three.format(rest.high)})`}${rest.from ? `, from ${day(rest.from)}` : ""} `, h("span", { class: `grade ${rest.grade}` }, rest.grade)),
      ...(rest.note ? [h("p", { class: "small" }, rest.note)] : []), ...(rest.where ? [h("p", { class: "small" }, `Where: ${rest.where}`)] : []),
      h("ul", {}, ...rest.sources.map(key => this.source(this.data.sources[key])))));
    this.dialog(this.label(one), ...found);
  }

  source(one) {
    const link = /^https?:/.test(one.url ?? "") ? h("a", { href: one.url, rel: "noopener noreferrer" }, one.title) : one.title;
    return h("li", {}, link, `, ${one.publisher}, ${one.date}`);
  }
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const month = date => `${MONTHS[date.slice(5, 7) - 1]} ${date.slice(0, 4)}`;
const day = date => `${Number(date.slice(8, 10))} ${month(date)}`;
const possessive = name => name.endsWith("s") ? `${name}’` : `${name}’s`;
const brief = x => x >= 1e6 ? `${three.format(x / 1e6)} m` : x >= 1e4 ? `${three.format(x / 1e3)} k` : rounds(x);

function start(text) {
  unpack(text).then(({ data, read }) => { window.stockpile = new Page(data, read); });
}
