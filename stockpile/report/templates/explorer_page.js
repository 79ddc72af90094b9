// The page: the setting and its past, what is worked out of it, and what is shown.

const QUIET = 900, WRITE = 120;

class Page {
  constructor(data, read) {
    this.data = data;
    this.model = new Model(data, read);
    this.settings = new Settings(data);
    this.words = new Words(data);
    this.now = empty();
    this.kept = null;
    this.found = Object.fromEntries(LINES.map(line => [line, {}]));
    this.hidden = new Set();
    this.spare = Object.fromEntries(this.model.munitions.map(name => [name, []]));
    this.changes = {};
    this.weighed = {};
    this.times = [];
    this.build();
    this.open(location.hash);
    addEventListener("hashchange", event => this.arrive(new URL(event.newURL).hash));
    $("live").hidden = false;
    this.redraw();
    document.documentElement.dataset.ready = performance.now().toFixed(1);
  }

  build() {
    this.controls = new Controls(this);
    this.panels = Object.fromEntries(this.model.munitions.map(name => [name, new Panel(this.model, this.words, name)]));
    $("charts").append(...Object.values(this.panels).map(one => one.node));
    $("legend").append(...LINES.map(line => this.shows(line)));
    this.moves = h("li");
    this.weights = this.model.munitions.map(() => h("li"));
    $("materiality").append(...this.weights, this.moves);
    this.table = new Table(this.model, this.words);
    const clicks = {
      undo: () => this.travel(this.past, this.future), redo: () => this.travel(this.future, this.past), reset: () => this.reset(),
      keep: () => this.keep(), drop: () => this.drop(),
      "copy-link": () => this.copy("Link", this.link()), "copy-command": () => this.copy("Command line", this.command()),
      "copy-toml": () => this.copy("As TOML", this.toml()), "save-csv": () => this.save("csv", "text/csv"),
      "save-svg": () => this.save("svg", "image/svg+xml"),
    };
    for (const [id, does] of Object.entries(clicks)) $(id).addEventListener("click", does);
    addEventListener("keydown", event => this.key(event));
  }

  // Whether a line is to be seen.
  shows(line) {
    const input = h("input", { type: "checkbox", checked: true });
    input.addEventListener("change", () => { this.hidden[input.checked ? "delete" : "add"](line); this.ask(); });
    const paths = [s("path", { class: "outer", d: "M0 1H32V11H0Z" }), s("path", { class: "median", d: "M0 6H32" })];
    const swatch = s("svg", { class: `swatch ${line}`, viewBox: "0 0 32 12", "aria-hidden": "true" }, ...paths);
    const label = h("label", {}, input, swatch, NAMED[line]);
    if (line === "kept") this.controls.widgets.push(() => { label.hidden = !this.kept; });
    return label;
  }

  // ---- the setting

  // Another address was called up: a setting, or a place in the page, which leaves the setting in the address.
  // A move may have been written over it by now, so it is the event that says what it was.
  arrive(hash) {
    if (ONLY_PLACES.includes(hash.slice(1))) this.write();
    else if (hash !== this.written) this.open(hash);
  }

  open(hash) {
    const { now, kept, ignored } = this.settings.read(hash), more = ignored.length - 5;
    Object.assign(this, { now, kept, past: [], future: [] });
    this.last = this.snapshot();
    const said = ignored.slice(0, 5).join("; ") + (more > 0 ? `, and ${more} more` : "");
    this.tell(said && `Ignored in the address: ${said}.`);
    this.sync();
    this.ask();
  }

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

  reset() {
    this.now = empty();
    this.commit();
  }

  keep() {
    this.kept = this.settings.plain(structuredClone(this.now));
    this.commit();
    this.tell("A is kept. Go on from here; A stays as it is.");
  }

  drop() {
    this.kept = null;
    this.commit();
    $("keep").focus();
  }

  key(event) {
    const key = event.key.toLowerCase(), isAgain = key === "y" || event.shiftKey;
    if (!(event.ctrlKey || event.metaKey) || !["z", "y"].includes(key) || event.target.closest("textarea")) return;
    event.preventDefault();
    if (isAgain) this.travel(this.future, this.past);
    else this.travel(this.past, this.future);
  }

  sync() {
    this.controls.sync();
    $("undo").disabled = !this.past.length;
    $("redo").disabled = !this.future.length;
  }

  tell(text) { put($("status"), text); }

  ask() { this.asked ??= requestAnimationFrame(() => this.redraw()); }

  // ---- what is worked out

  // What is run for a line.
  setting(line) {
    if (line === "base") return { sliders: {}, suspensions: [], classes: [], variant: null };
    const one = this.settings.plain(line === "kept" ? this.kept : this.now), levers = line !== "mine";
    const moved = Object.entries(one.moved).filter(([path]) => levers || !this.settings.controls.get(path).is_lever);
    return {
      sliders: { ...this.data.variant_sliders[one.variant], ...Object.fromEntries(moved) },
      suspensions: levers && one.works ? [one.suspension] : [], classes: levers && one.first ? [[one.first]] : [], variant: one.variant,
    };
  }

  reaches(path, name) { return (this.settings.controls.get(path).munition ?? name) === name; }

  calculate() {
    for (const line of LINES) {
      const setting = line !== "kept" || this.kept ? this.setting(line) : null;
      for (const name of this.model.munitions) {
        if (setting) this.follow(line, name, setting);
        else this.give(line, name, undefined);
      }
    }
  }

  // A line of a munition: as it is, as another line has it, or run anew.
  follow(line, name, { sliders, suspensions, classes, variant }) {
    const own = {
      sliders: Object.fromEntries(Object.entries(sliders).filter(([path]) => this.reaches(path, name))),
      suspensions: suspensions.filter(one => one.munitions.includes(name)), classes, variant,
    };
    const key = JSON.stringify(own), all = LINES.map(other => this.found[other][name]);
    if (this.found[line][name]?.key === key) return;
    // Those behind this line are still of the setting before, but what they were run for is the same.
    const same = all.find(one => one?.key === key);
    if (same) { this.give(line, name, same); return; }
    this.give(line, name, undefined);
    const like = this.found[line === "mine" ? "base" : "mine"][name];
    const made = new Line(this.model, this.model.run(name, own, this.spare[name].pop()), like);
    made.key = key;
    this.give(line, name, made);
  }

  // The rows of a line that is none any more are written over by the next run.
  give(line, name, made) {
    const old = this.found[line][name];
    this.found[line][name] = made;
    if (old && LINES.every(other => this.found[other][name] !== old)) this.spare[name].push(old.rows);
  }

  // The change from your assumptions to your scenario; as it was where both are.
  changed(name) {
    const [base, mine, yours] = ["base", "mine", "yours"].map(line => this.found[line][name]), old = this.changes[name];
    const now = old?.mine === mine && old.yours === yours ? old : { name, mine, yours, same: mine === yours, ...change(mine, yours) };
    return this.changes[name] = { ...now, base, scale: Math.max(mine.middle, 1) };
  }

  // ---- what is shown

  redraw() {
    const began = performance.now();
    cancelAnimationFrame(this.asked);
    this.asked = null;
    this.calculate();
    const worked = performance.now(), [halt] = this.setting("yours").suspensions;
    for (const name of this.model.munitions) this.draw(name, halt);
    put($("sentence"), this.words.sentence(this.model.munitions.map(name => this.changed(name))));
    this.weigh(halt);
    this.table.fill(this.found);
    this.beside();
    this.written = this.settings.hash(this.now, this.kept);
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.write(), WRITE);
    this.speak();
    this.times.push([performance.now() - began, worked - began]);
    document.documentElement.dataset.drawn = this.times.length;
  }

  draw(name, halt) {
    const lines = Object.fromEntries(LINES.map(line => [line, this.hidden.has(line) ? undefined : this.found[line][name]]));
    const moved = Object.keys(this.now.moved).filter(path => this.reaches(path, name)).map(path => this.settings.controls.get(path));
    this.panels[name].draw(lines, {
      yours: this.found.yours[name], mine: this.found.mine[name], halt: halt?.munitions.includes(name) ? halt : null,
      pinned: moved.filter(one => one.kind === "pin"),
    });
  }

  weigh(halt) {
    this.model.munitions.forEach((name, k) => {
      const { mine, yours } = this.changes[name], old = this.weighed[name], start = halt?.munitions.includes(name) ? halt.start : null;
      if (old?.mine === mine && old.yours === yours && old.start === start) return;
      const at = start && Math.max(Math.floor(this.model.at(start)), 0);
      put(this.weights[k], this.words.moves(name, start && materiality(mine, yours, at)));
      this.weighed[name] = { mine, yours, start };
    });
    this.moves.hidden = Boolean(halt) || !this.now.first;
    if (!this.moves.hidden) put(this.moves, "An order of recipients shares out otherwise; it holds nothing back.");
  }

  beside() {
    $("side").hidden = !this.kept;
    $("drop").hidden = !this.kept;
    const key = this.snapshot();
    if (!this.kept || this.besides === key) return;
    this.besides = key;
    const [a, b] = [this.kept, this.now].map(one => this.words.described(one, this.settings.controls));
    const names = new Set([...a.keys(), ...b.keys()]);
    $("differences").replaceChildren(...[...names].map(name => {
      const cells = [a, b].map(one => h("td", {}, one.get(name) ?? "as in the files"));
      return h("tr", {}, h("th", { scope: "row" }, name), ...cells);
    }));
  }

  // Said aloud when things have come to rest: a slider that is dragged changes the sentence many times a second.
  speak() {
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => put($("spoken"), this.times.length > 1 ? $("sentence").textContent : ""), QUIET);
  }

  write() {
    if (location.hash === this.written) return;
    try {
      history.replaceState(null, "", this.written || location.pathname + location.search);
    } catch {
      location.hash = this.written;
    }
  }

  // ---- what is taken along

  link() { return location.href.split("#")[0] + this.settings.hash(this.now, this.kept); }

  command() {
    const found = this.settings.commands(this.now);
    if (!found) return "# These policies cannot be written as a command; take the TOML.";
    return found.map((one, k) => (k ? "# baseline with your assumptions:\n" : "") + one).join("\n");
  }

  toml() {
    const found = Object.entries(this.settings.files(this.now)).map(([name, text]) => `# ---- ${name}\n${text}`);
    const command = this.settings.reading(this.now);
    return `# Two files, by the names that stand over them, and the command that reads them:\n# ${command}\n\n${found.join("\n")}`;
  }

  csv() {
    const { dates, recipients } = this.data, lines = ["line,munition,quantity,recipient,date,q05,q25,q50,q75,q95"];
    for (const line of LINES) for (const name of this.model.munitions) {
      const found = this.found[line][name];
      if (!found) continue;
      lines.push(...dates.map((date, t) => [line, name, "us_on_hand", "us", date, ...found.fan.map(row => row[t])].join()));
      lines.push(...recipients.map((who, r) => [line, name, "total_unmet", who, dates.at(-1), ...found.said[2 + r]].join()));
    }
    return `${lines.join("\n")}\n`;
  }

  // The charts side by side, in the colours of the page.
  svg() {
    const { munitions } = this.model, high = 28 + 236 * Math.ceil(munitions.length / 2);
    const root = getComputedStyle(document.documentElement), colour = name => root.getPropertyValue(`--${name}`).trim();
    const rules = [...document.styleSheets[0].cssRules].map(one => one.cssText)
      .filter(one => /^(svg|\.(grid|floor|now|pause|median|dots|base|mine|yours|kept)\b)/.test(one));
    const style = rules.join("\n").replace(/var\(--(\w+)\)/g, (_, name) => colour(name));
    const all = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 740 ${high}`, width: 1480, height: 2 * high },
      s("style", {}, style), s("rect", { width: 740, height: high, fill: colour("paper") }));
    munitions.forEach((name, k) => {
      const x = 5 + 370 * (k % 2), y = 28 + 236 * Math.floor(k / 2), copy = this.panels[name].svg.cloneNode(true);
      element(copy, { x, y, width: 360, height: 204 }, []);
      all.append(s("text", { x, y: y - 8 }, `${this.data.titles.munitions[name]}: US stock, rounds`), copy);
    });
    const colours = "grey: baseline, orange: with your assumptions, blue: your scenario" + (this.kept ? ", purple: A, kept" : "");
    all.append(s("text", { x: 5, y: high - 6 }, `stockpile ${this.data.version}, ${this.data.scenario}; ${colours}`));
    return new XMLSerializer().serializeToString(all);
  }

  save(kind, type) {
    const name = `stockpile_explorer.${kind}`, address = URL.createObjectURL(new Blob([this[kind]()], { type }));
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    this.tell(`${name} is made.`);
  }

  copy(title, text) {
    const area = h("textarea", { readonly: true, "aria-label": title, spellcheck: "false" });
    const said = h("p", { class: "small", role: "status" });
    area.value = text;
    this.dialog(title, area, said);
    area.select();
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    done.then(() => { said.textContent = "Copied."; }, () => { said.textContent = "Select and copy it from here."; });
  }

  dialog(title, ...children) {
    $("dialog-title").textContent = title;
    $("dialog-body").replaceChildren(...children);
    $("dialog").showModal();
  }
}

// All numbers, a row for each munition and line.
class Table {
  constructor(model, words) {
    const { data } = model, range = ([low, , middle, , high]) => `${rounds(middle)} (${rounds(low)} to ${rounds(high)})`;
    const columns = [
      ["Stock at the end", one => range(one.said[0])], [`Lowest stock after ${dayOf(data.as_of)}`, one => range(one.said[1])],
      ["Draws below the floor", one => `${one.below} of ${one.n}`],
      ["First below, median of those", one => one.below ? words.crossing(one) : "–"],
      ...data.recipients.map((who, r) => [`Unmet, ${words.who(who)}`, one => range(one.said[2 + r])]),
    ];
    const heads = ["Munition", "Line", ...columns.map(([title]) => title)].map(one => h("th", { scope: "col" }, one));
    $("numbers").tHead.append(h("tr", {}, ...heads));
    this.rows = model.munitions.flatMap(name => LINES.map((line, k) => {
      const cells = columns.map(([, said]) => [h("td"), said]);
      const titles = [words.short(name), NAMED[line]].map(one => h("th", { scope: "row" }, one));
      const node = h("tr", { class: k ? null : "first" }, ...titles, ...cells.map(([cell]) => cell));
      return { name, line, cells, node, shown: null };
    }));
    $("numbers").tBodies[0].append(...this.rows.map(row => row.node));
  }

  fill(found) {
    for (const row of this.rows) {
      const one = found[row.line][row.name];
      row.node.hidden = !one;
      if (!one || row.shown === one) continue;
      row.shown = one;
      for (const [cell, said] of row.cells) put(cell, said(one));
    }
  }
}

function start(text) {
  unpack(text).then(({ data, read }) => { window.stockpile = new Page(data, read); });
}
