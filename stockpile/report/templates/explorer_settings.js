// A setting: where the controls stand. How it is written into an address, into commands and into files, and read again.

const HASH = "1", LONGEST = 8000, CHANNELS = ["transfers", "new_production"], ONLY_PLACES = ["results"];

const empty = () => ({ moved: {}, suspension: null, first: null, variant: null });

// A day of the calendar, as the files write it.
function isDay(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}

// The names of a list between points, in the order of those known; null where another one is among them.
function namesOf(text, known) {
  const given = text ? text.split(".") : [];
  return given.every(name => known.includes(name)) ? known.filter(name => given.includes(name)) : null;
}

// As a shell takes it.
function quoted(text) { return `'${text.replaceAll("'", "'\\''")}'`; }
function plainly(text) { return /^[\w./-]+$/.test(text) ? text : quoted(text); }

class Settings {
  constructor(data) {
    this.data = data;
    this.controls = new Map(data.controls.map(one => [one.path, one]));
    this.presets = data.policies.filter(one => one.shown && one.suspensions.length <= 1 && one.classes.flat().length <= 1);
    this.since = Math.min(data.ahead - 1, ...this.presets.flatMap(one => one.suspensions.map(two => this.month(two.start))));
  }

  // Whole months from the first date.
  month(date) {
    const [year, month] = date.split("-"), [firstYear, firstMonth] = this.data.dates[0].split("-");
    return (year - firstYear) * 12 + (month - firstMonth);
  }

  own(path, variant) { return this.data.variant_sliders[variant]?.[path] ?? this.data.sliders[path]; }

  // A pin whose programs give what a variant gives otherwise, too, cannot stand beside it.
  clashes(path, variant) {
    const pins = this.data.pins[path], others = this.data.variants[variant];
    if (!pins || !others) return false;
    return Object.keys(pins).some(name => name in others && Object.keys(pins[name].places).some(key => key in others[name].places));
  }

  // A setting in its plainest form: what stands where it stands anyway is left out, in the order of the controls.
  plain(given) {
    const moved = {};
    for (const [path, one] of this.controls) {
      const value = given.moved[path];
      if (value === undefined || this.clashes(path, given.variant)) continue;
      if (one.kind === "pin" || value !== this.own(path, given.variant)) moved[path] = value;
    }
    const one = given.suspension, works = Boolean(one && one.recipients.length && one.munitions.length && one.channels.length);
    return { moved, suspension: one ? { ...one } : null, first: given.first, variant: given.variant, works };
  }

  // The policy of the files that a setting is.
  preset(given) {
    const said = (suspensions, classes) => JSON.stringify([suspensions.map(one => this.text(one)), classes]);
    const wanted = said(given.suspension ? [given.suspension] : [], given.first ? [[given.first]] : []);
    return this.presets.find(one => said(one.suspensions, one.classes) === wanted) ?? null;
  }

  // ---- addresses

  text(one) {
    const channels = CHANNELS.map(name => one.channels.includes(name) ? one[name] : "-");
    return [one.start, one.end, one.let_through, one.recipients.join("."), one.munitions.join("."), ...channels].join("_");
  }

  hash(given, kept) {
    const said = one => {
      const found = [];
      if (one.variant) found.push(["scenario", one.variant]);
      if (one.suspension) found.push(["suspend", this.text(one.suspension)]);
      if (one.first) found.push(["first", one.first]);
      return [...found, ...Object.entries(one.moved)].map(([key, value]) => `${key}=${value}`);
    };
    const all = said(this.plain(given));
    if (kept) all.push("A", ...said(this.plain(kept)).map(one => `A.${one}`));
    return all.length ? `#${HASH}&${this.data.scenario}&${all.join("&")}` : "";
  }

  // What an address says: the setting, the one kept, and the parts that were ignored. Nothing of it is run or shown as markup.
  read(hash) {
    const found = { now: empty(), kept: null, ignored: [] }, text = hash.replace(/^#/, "");
    if (!text || ONLY_PLACES.includes(text)) return found;
    if (text.length > LONGEST) return { ...found, ignored: ["all of it, as it is too long"] };
    const [version, scenario, ...parts] = text.split("&"), seen = new Set();
    if (version !== HASH) return { ...found, ignored: [`all of it: version ${version.slice(0, 12)} is not known here`] };
    if (scenario !== this.data.scenario) return { ...found, ignored: ["all of it: it is of another scenario"] };
    for (const part of parts) {
      const [, kept, key, value] = /^(A\.)?([\w.]+)=([\w.,+-]*)$/.exec(part) ?? [], name = `${kept}${key}`;
      if (kept || part === "A") found.kept ??= empty();
      if (part === "A") continue;
      const into = kept ? found.kept : found.now, fine = key !== undefined && !seen.has(name) && this.take(into, key, value);
      if (!fine) found.ignored.push(part.slice(0, 40));
      seen.add(name);
    }
    for (const { moved, variant } of [found.now, found.kept ?? empty()]) {
      const clashing = Object.keys(moved).filter(path => this.clashes(path, variant));
      found.ignored.push(...clashing.map(path => `${path} beside ${variant}`));
    }
    found.now = this.plain(found.now);
    found.kept &&= this.plain(found.kept);
    return found;
  }

  // Take a part of an address into a setting; tell whether it says anything.
  take(into, key, value) {
    if (key === "scenario") return Object.hasOwn(this.data.variants, value) && Boolean(into.variant = value);
    if (key === "first") return this.data.recipients.includes(value) && Boolean(into.first = value);
    if (key === "suspend") return Boolean(into.suspension = this.suspension(value));
    const one = this.controls.get(key), number = Number(value);
    if (!one || !/^-?\d+(\.\d{1,6})?$/.test(value) || number < one.least || number > one.most) return false;
    into.moved[key] = number;
    return true;
  }

  suspension(text) {
    // Recipients and munitions may have underscores in their names; what stands before and behind them has none.
    const parts = text.split("_"), [start, end, share] = parts, [transfers, production] = parts.slice(-2), { dates } = this.data;
    const names = parts.slice(3, -2), ways = names.slice(1).map((_, k) => [names.slice(0, k + 1).join("_"), names.slice(k + 1).join("_")]);
    const read = ways.map(([who, which]) => [namesOf(who, this.data.recipients), namesOf(which, Object.keys(this.data.programs))]);
    const [recipients, munitions] = read.find(([one, two]) => one && two) ?? [];
    const fine = recipients && /^(0(\.\d{1,4})?|1)$/.test(share)
      && isDay(start) && start >= dates[0] && start < dates.at(-1)
      && (end === "horizon" || (isDay(end) && end > start && end <= dates.at(-1)))
      && ["-", "deferred", "cancelled"].includes(transfers) && ["-", "held", "diverted"].includes(production);
    if (!fine) return null;
    return {
      start, end, let_through: Number(share), recipients, munitions,
      channels: CHANNELS.filter((_, k) => [transfers, production][k] !== "-"),
      transfers: transfers === "-" ? "deferred" : transfers, new_production: production === "-" ? "held" : production,
    };
  }

  // ---- commands and files

  number(value) { return Number.isInteger(value) ? `${value}.0` : `${value}`; }

  toml(one) {
    const list = names => `[${names.map(name => `"${name}"`).join(", ")}]`;
    return [
      ["start", one.start], ["end", one.end === "horizon" ? '"horizon"' : one.end], ["let_through", this.number(one.let_through)],
      ["recipients", list(one.recipients)], ["munitions", list(one.munitions)], ["channels", list(one.channels)],
      ["transfers", `"${one.transfers}"`], ["new_production", `"${one.new_production}"`],
    ];
  }

  sets(moved) {
    const scale = path => this.controls.get(path).kind === "factor" ? ".scale" : "";
    return Object.entries(moved).map(([path, value]) => [`${path}${scale(path)}`, this.number(value)]);
  }

  // Changes beside those that the page was made with. A path is set once: a factor goes onto what was given, a value takes its place.
  together(own) {
    const stem = path => path.replace(/\.(scale|add|at)$/, ""), found = new Map(this.data.given.map(one => [stem(one[0]), one]));
    for (const [path, text] of own) {
      const [before, amount] = found.get(stem(path)) ?? [], product = Number(amount) * Number(text), isFactor = path.endsWith(".scale");
      const goesOnto = isFactor && [path, stem(path)].includes(before) && Number.isFinite(product);
      found.set(stem(path), goesOnto ? [before, this.number(product)] : [path, text]);
    }
    return found;
  }

  // The policy that has what a setting decides, and what is set in it; nothing where no policy of the files can be made to.
  policy(one) {
    const preset = this.preset(one);
    if (preset) return [preset.name, []];
    if (!one.works && !one.first) return ["none", []];
    const shown = this.data.policies.filter(two => two.shown), sets = [];
    const found = shown.find(two => one.first ? two.classes.length : two.suspensions.length) ?? shown.find(two => two.name !== "none");
    if (!found) return null;
    const order = one.first ? `[["${one.first}"]]` : "[]";
    if (JSON.stringify(found.classes) !== order) sets.push([`policies.${found.name}.allocation.classes`, order]);
    const said = one.works ? `{${this.toml(one.suspension).map(([key, value]) => `${key}=${value}`).join(", ")}}` : "";
    if (one.works || found.suspensions.length) sets.push([`policies.${found.name}.suspensions`, `[${said}]`]);
    return [found.name, sets];
  }

  ensemble(scenario, policies, sets, folders = this.data.folders) {
    const { members, seed } = this.data;
    return [
      `stockpile ensemble ${plainly(scenario)} --members ${members} --seed ${seed} --policy ${policies}`,
      ...folders.map(one => `--params ${plainly(one)}`), ...sets.map(one => `--set ${quoted(one.join("="))}`),
    ].join(" ");
  }

  // The commands that give the numbers of the lines: your scenario, and the baseline with your assumptions where levers move parameters.
  commands(given) {
    const one = this.plain(given), scenario = one.variant ?? this.data.asked, policy = this.policy(one);
    if (!policy) return null;
    const [name, sets] = policy, assumed = Object.entries(one.moved).filter(([path]) => !this.controls.get(path).is_lever);
    const command = (policies, own) => this.ensemble(scenario, policies, [...this.together(own).values()]);
    const found = [command([...new Set(["none", name])].join(), [...this.sets(one.moved), ...sets])];
    if (assumed.length < Object.keys(one.moved).length) found.push(command("none", this.sets(Object.fromEntries(assumed))));
    return found;
  }

  // The command that reads the files: with what the page was made with, as far as the files do not set it.
  reading(given) {
    const { moved } = this.plain(given), left = [...this.together([])].filter(([path]) => !(path in moved)).map(([, one]) => one);
    return this.ensemble("explorer.toml", "none,explorer_policy", left, [...this.data.folders, "explorer"]);
  }

  // A scenario and a policy, by the names of their files.
  files(given) {
    const one = this.plain(given), base = this.data.policies.find(two => two.name === "none") ?? this.data.policies[0];
    const made = 'description = "Made in the live page."', all = this.together(this.sets(one.moved));
    const changes = Object.keys(one.moved).map(path => [path, ...all.get(path)]).flatMap(([path, set, value]) => [
      "[[changes]]", `path = "${path}"`, `${set === path ? "value" : "scale"} = ${value}`, "again = true", 'reason = "set in the explorer"', "",
    ]);
    const scenario = ['title = "A setting of the explorer"', made, `base = "${one.variant ?? this.data.scenario}"`, "", ...changes];
    const policy = [
      'title = "A policy of the explorer"', made, `transfer_floor = "${base.transfer_floor}"`, `review_level = "${base.review_level}"`, "",
      ...(one.first ? ["[allocation]", 'use = "pro_rata"', `classes = [["${one.first}"]]`, ""] : []),
      ...(one.works ? ["[[suspensions]]", ...this.toml(one.suspension).map(([name, value]) => `${name} = ${value}`), ""] : []),
    ];
    return { "explorer.toml": scenario.join("\n"), "explorer/policies/explorer_policy.toml": policy.join("\n") };
  }
}
