// Levers and assumptions, each with a way back, and a way to its sources.

const GRADES = ["measured", "reported", "derived", "assumed"];

// The weakest grade of what a control rests on.
function weakest(control) { return GRADES[Math.max(...control.rests_on.map(one => GRADES.indexOf(one.grade)))]; }

// What all suspensions begin from: that of six months, where the files have it, else one with both channels.
function usualSuspension(data, munitions) {
  const all = data.policies.flatMap(one => one.suspensions), six = data.policies.find(one => one.name === "suspension_6_months");
  return six?.suspensions[0] ?? all.find(one => one.channels.length === 2) ?? {
    start: data.dates[data.ahead], end: "horizon", let_through: 0, recipients: data.recipients, munitions, channels: CHANNELS,
    transfers: "deferred", new_production: "held",
  };
}

class Controls {
  constructor(page) {
    const { data, model, settings, words } = page;
    Object.assign(this, { page, data, model, settings, words, widgets: [] });
    this.usual = usualSuspension(data, model.munitions);
    this.levers();
    this.assumptions();
  }

  get now() { return this.page.now; }

  // The suspension as it stands, or as it would begin.
  get shown() { return this.now.suspension ?? this.usual; }

  // The suspension that is moved.
  get moved() { return this.now.suspension ??= structuredClone(this.usual); }

  sync() { for (const one of this.widgets) one(); }

  // ---- kinds of controls

  button(label, text, click) { return h("button", { type: "button", "aria-label": label, onclick: click }, text); }

  // `moved` is given the number, `back` takes it back where it came from.
  slider({ id, label, name, least, most, step, moved, back, buttons = [] }) {
    const input = h("input", { type: "range", id, min: least, max: most, step, "aria-label": name });
    // Not an <output>, which would be read out at each step: what it says is the value of the slider.
    const output = h("span", { class: "value", "aria-hidden": "true" }), note = h("span", { class: "note", hidden: true });
    input.addEventListener("input", () => { moved(Number(input.value)); this.page.ask(); this.sync(); });
    input.addEventListener("change", () => this.page.commit());
    const reset = this.button(`Reset ${name}`, "↺", () => { back(); this.page.commit(); input.focus(); });
    const all = h("span", { class: "buttons" }, reset, ...buttons);
    const box = h("div", { class: "control" }, h("label", { for: id }, label), output, all, input, note);
    const set = (value, said, is, disabled) => {
      if (Number(input.value) !== value) input.value = value;
      put(output, said);
      mark(input, "aria-valuetext", said);
      input.disabled = disabled;
      reset.disabled = !is;
      box.classList.toggle("moved", is);
    };
    return { note, box, set };
  }

  // A number of the parameters.
  number(one, label) {
    const name = this.words.label(one), grade = weakest(one);
    const sources = this.button(`Sources of ${name}, ${grade}`, grade, () => this.page.dialog(name, ...this.sources(one)));
    sources.className = `grade ${grade}`;
    const made = this.slider({
      id: `c-${one.path.replaceAll(".", "-")}`, label, name, least: one.least, most: one.most, step: one.step, buttons: [sources],
      moved: value => { this.now.moved[one.path] = value; }, back: () => { delete this.now.moved[one.path]; },
    });
    this.widgets.push(() => {
      const { moved, variant } = this.now, clash = this.settings.clashes(one.path, variant), is = one.path in moved && !clash;
      const value = is ? moved[one.path] : this.settings.own(one.path, variant), note = this.note(one, value, is, clash);
      made.set(value, this.words.value(one, value) + (one.kind === "pin" && !is ? ", drawn" : ""), is, clash);
      made.note.hidden = !note;
      put(made.note, note);
    });
    return made.box;
  }

  note(one, value, is, clash) {
    if (clash) return "The scenario of the files chosen sets this.";
    if (one.kind === "factor") return is && value === 0 ? "Nothing is left of it, nor of its range." : "";
    if (one.kind !== "pin" || !is) return "";
    const apart = one.drawn_with.length ? " What was drawn together with it is now drawn by itself." : "";
    return `The same in all draws: its range is gone.${apart}`;
  }

  select(id, label, options, get, set, isOff = () => false) {
    const input = h("select", { id }, ...options.map(([value, title]) => h("option", { value }, title)));
    input.addEventListener("change", () => { set(input.value); this.page.commit(); });
    this.widgets.push(() => {
      if (input.value !== get()) input.value = get();
      input.disabled = isOff();
    });
    return h("div", { class: "field" }, h("label", { for: id }, label), input);
  }

  checkbox(label, get, set, given = {}) {
    const input = h("input", { type: "checkbox", ...given });
    input.addEventListener("change", () => { set(input.checked); this.page.commit(); });
    this.widgets.push(() => { [input.checked, input.disabled] = get(); });
    return h("label", {}, input, label);
  }

  // ---- the suspension

  // Names of a list of the suspension.
  choices(legend, names, titles, key) {
    const boxes = names.map(name => this.checkbox(titles[name], () => [this.shown[key].includes(name), !this.now.suspension], is => {
      this.moved[key] = names.filter(one => one === name ? is : this.moved[key].includes(one));
    }));
    const given = { role: "group", "aria-label": legend, class: "field" };
    return h("div", given, h("span", {}, legend), h("div", { class: "choices" }, ...boxes));
  }

  // What becomes of a channel.
  way(id, label, channel, ways) {
    const get = () => this.shown.channels.includes(channel) ? this.shown[channel] : "-";
    return this.select(id, label, [["-", "goes on"], ...ways], get, value => {
      const one = this.moved;
      one.channels = CHANNELS.filter(two => two === channel ? value !== "-" : one.channels.includes(two));
      if (value !== "-") one[channel] = value;
    }, () => !this.now.suspension);
  }

  months(one) { return one.end === "horizon" ? this.model.steps - this.settings.month(one.start) : this.between(one.start, one.end); }

  between(start, end) { return Math.max(this.settings.month(end) - this.settings.month(start), 0); }

  // Begin in a month, for as long as before: no later than leaves room for that, so that nothing is lost on the way back.
  begin(month) {
    const one = this.moved, length = Math.max(this.months(one), 1), isOpen = one.end === "horizon", { dates } = this.data;
    const first = isOpen ? month : Math.max(Math.min(month, this.model.steps - length), 0);
    one.start = dates[first];
    if (!isOpen) one.end = dates[first + length];
  }

  last(months) {
    const one = this.moved, from = this.settings.month(one.start), { dates } = this.data;
    one.start = dates[from];
    one.end = dates[Math.min(from + months, this.model.steps)];
  }

  // What a length is called; dates within a month have none.
  lasting(one) {
    if (one.end === "horizon") return "to the end";
    if (![one.start, one.end].every(date => this.data.dates.includes(date))) return `until ${dayOf(one.end)}`;
    const months = this.months(one);
    return `${months} month${months === 1 ? "" : "s"}`;
  }

  suspension() {
    const { usual, settings, model, data } = this, start = settings.month(usual.start);
    const slider = (id, label, least, most, step, moved, own) => this.slider({
      id, label, name: `Suspension: ${label}`, least, most, step, moved, back: () => moved(own),
    });
    const begins = slider("start", "Starts", settings.since, model.steps - 1, 1, value => this.begin(value), start);
    const lasts = slider("length", "Lasts", 1, 60, 1, value => this.last(value), this.months(usual));
    const share = slider("share", "Share that goes on", 0, 1, 0.05, value => { this.moved.let_through = value; }, usual.let_through);
    const isOpen = () => this.shown.end === "horizon";
    const open = this.checkbox("without end", () => [isOpen(), !this.now.suspension], is => is ? this.moved.end = "horizon" : this.last(6));
    this.widgets.push(() => {
      const one = this.shown, is = Boolean(this.now.suspension), length = this.months(one);
      begins.set(settings.month(one.start), dayOf(one.start), is && one.start !== usual.start, !is);
      lasts.set(Math.max(length, 1), this.lasting(one), is && length !== this.months(usual), !is || isOpen());
      share.set(one.let_through, percent(one.let_through), is && one.let_through !== usual.let_through, !is);
    });
    const on = this.checkbox(" Suspend deliveries", () => [Boolean(this.now.suspension), false], is => {
      this.now.suspension = is ? structuredClone(usual) : null;
    }, { id: "suspend" });
    return h("fieldset", {}, h("legend", {}, on), begins.box, lasts.box, h("div", { class: "choices" }, open), share.box,
      this.choices("To whom", data.recipients, data.titles.recipients, "recipients"),
      this.choices("Of which munitions", model.munitions, data.titles.short, "munitions"),
      this.way("transfers", "Transfers from US stock", "transfers",
        [["deferred", "deferred: made up for later"], ["cancelled", "cancelled"]]),
      this.way("production", "New production for the recipient", "new_production",
        [["held", "held: released later"], ["diverted", "diverted to US stock"]]));
  }

  // ---- where they stand

  group(title, found, label) {
    if (!found.length) return "";
    return h("fieldset", {}, h("legend", {}, title), ...found.map(one => this.number(one, label(one))));
  }

  levers() {
    const { data, settings } = this, policies = settings.presets.map(one => [one.name, one.title]);
    const about = h("p", { class: "small", id: "about-preset" });
    this.widgets.push(() => put(about, settings.preset(this.now)?.description ?? ""));
    const recipients = data.recipients.map(who => [who, `${this.words.who(who)} first`]);
    const of = test => data.controls.filter(one => one.is_lever && test(one.path)), short = one => this.words.short(one.munition);
    $("levers").append(
      this.select("preset", "Policy of the files", [...policies, ["", "your own"]], () => settings.preset(this.now)?.name ?? "",
        name => this.take(name)), about, this.suspension(),
      this.select("first", "Transfers from stock, when short", [["", "shared out by request"], ...recipients],
        () => this.now.first ?? "", value => { this.now.first = value || null; }),
      this.group("Transfer floor, share of the stock of March 2022", of(path => path.includes(".floors.")), short),
      this.group("US share of new production", of(path => path.endsWith(".us_share")), short),
      this.group("Ramp dates", of(path => path === "model.ramp_delay"), one => one.label));
  }

  // Take a policy of the files.
  take(name) {
    const one = this.settings.presets.find(two => two.name === name);
    if (!one) return;
    this.now.suspension = one.suspensions.length ? structuredClone(one.suspensions[0]) : null;
    this.now.first = one.classes.flat()[0] ?? null;
  }

  assumptions() {
    const { data } = this, scenarios = [["", data.title], ...Object.entries(data.titles.scenarios)];
    $("assumptions").append(
      h("p", { class: "small" }, "A factor × multiplies what the files have, in every draw, so the range moves with it."),
      this.select("variant", "Scenario of the files", scenarios,
        () => this.now.variant ?? "", value => { this.now.variant = value || null; }));
    for (const name of [...this.model.munitions, null]) {
      const found = data.controls.filter(one => !one.is_lever && one.munition === name).map(one => this.number(one, one.label));
      $("assumptions").append(h("details", {}, h("summary", {}, data.titles.munitions[name] ?? "All munitions"), ...found));
    }
  }

  // ---- sources

  sources(control) {
    return control.rests_on.map(one => {
      const range = one.low === null ? "" : ` (${three.format(one.low)} to ${three.format(one.high)})`;
      const unit = one.unit === "1" ? "" : ` ${one.unit}`;
      const value = `: ${three.format(one.value)}${unit}${range}${one.from ? `, from ${dayOf(one.from)}` : ""} `;
      const said = [one.note, one.where && `Where: ${one.where}`];
      return h("section", {}, h("p", {}, h("code", {}, one.path), value, h("span", { class: `grade ${one.grade}` }, one.grade)),
        ...said.filter(Boolean).map(text => h("p", { class: "small" }, text)),
        h("ul", {}, ...one.sources.map(key => this.source(this.data.sources[key]))));
    });
  }

  source({ url, title, publisher, date }) {
    const link = /^https?:/.test(url ?? "") ? h("a", { href: url, rel: "noopener noreferrer" }, title) : title;
    return h("li", {}, link, `, ${publisher}, ${date}`);
  }
}
