// What the page says: elements, numbers and dates, and the sentences.

const LINES = ["base", "mine", "kept", "yours"], LEAST = 0.5;
const NAMED = { base: "Baseline", mine: "Baseline with your assumptions", yours: "Your scenario", kept: "A, kept" };
const MONTHS = "January February March April May June July August September October November December".split(" ");
const $ = id => document.getElementById(id);

function element(node, given, children) {
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const h = (tag, given = {}, ...children) => element(document.createElement(tag), given, children);
const s = (tag, given = {}, ...children) => element(document.createElementNS("http://www.w3.org/2000/svg", tag), given, children);

// Text and attributes are written where they change: the same once more would have the browser lay out anew.
function put(node, text) { if (node.textContent !== text) node.textContent = text; }
function mark(node, name, value) { if (node.getAttribute(name) !== value) node.setAttribute(name, value); }

// ------------------------------------------------------------ numbers and dates

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const three = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });
const rounds = x => whole.format(Math.round(x) + 0);
const signed = x => (Math.round(x) > 0 ? "+" : "") + rounds(x).replace("-", "−");
const brief = x => x >= 1e6 ? `${three.format(x / 1e6)} m` : x >= 1e4 ? `${three.format(x / 1e3)} k` : rounds(x);
const percent = x => `${three.format(100 * x)} %`;
const monthOf = date => `${MONTHS[date.slice(5, 7) - 1]} ${date.slice(0, 4)}`;
const dayOf = date => `${Number(date.slice(8, 10))} ${monthOf(date)}`;
const possessive = name => name.endsWith("s") ? `${name}’` : `${name}’s`;

// ------------------------------------------------------------ sentences

class Words {
  constructor(data) {
    this.data = data;
    this.titles = data.titles;
    this.short = name => data.titles.short[name];
    this.who = name => data.titles.recipients[name];
  }

  label(control) { return (control.munition ? `${this.short(control.munition)}: ` : "") + control.label; }

  value(control, value) {
    if (control.kind === "factor") return `× ${value.toFixed(2)}`;
    if (control.path === "model.ramp_delay") return `${signed(value)} months`;
    return control.path === "model.slip" ? `${value} months` : percent(value);
  }

  // The date at which half of the draws that fall below the floor have done so.
  crossing(line) { return monthOf(this.data.dates[Math.ceil(line.typical)]); }

  // Under a chart; `pinned` are the controls that took the place of draws.
  reading(yours, mine, pinned) {
    const half = yours.below ? `; of these half by ${this.crossing(yours)}` : "";
    const below = `Below the floor at some date in ${yours.below} of ${yours.n} draws${half} (without your levers: ${mine.below}).`;
    const gone = pinned.map(one => `“${one.label}”`).join(" and ");
    const differ = pinned.length > 1 ? "differ" : "differs";
    return below + (gone && ` The range is narrower than what is known: ${gone} no longer ${differ} between draws.`);
  }

  // What the levers change. `found` has for each munition its lines, the changes from `mine` to `yours`, and what they are compared by.
  sentence(found) {
    const assumed = this.assumed(found), levers = this.levers(found);
    return levers + (assumed && ` Your assumptions alone: draws below the floor, ${assumed}.`);
  }

  levers(found) {
    if (found.every(one => one.same)) return "No lever is moved: your scenario is the baseline with your assumptions.";
    if (found.every(one => flat(one.stock) && one.unmet.every(flat))) {
      return "The levers that are moved change nothing here, in 90 % of the draws.";
    }
    return `${this.stocks(found)}${this.needs(found)}`;
  }

  stocks(found) {
    const names = test => found.filter(one => test(one.stock)).map(one => this.short(one.name)).join(", ");
    const sure = found.filter(one => clear(one.stock)).sort((p, q) => size(q.stock, q) - size(p.stock, p));
    const close = names(one => !clear(one) && !flat(one)), still = names(flat);
    const end = dayOf(this.data.dates.at(-1)), fall = ({ mine, yours }) => {
      const below = yours.below === mine.below ? `as before ${mine.below}` : `${yours.below} instead of ${mine.below}`;
      return `${below} of ${mine.n} draws fall below the floor`;
    };
    const said = sure.map((one, k) => k ? `${this.short(one.name)}: ${ranged(one.stock)}. `
      : `With your levers, US stock of ${this.short(one.name)} on ${end} changes by ${ranged(one.stock)} rounds, and ${fall(one)}. `);
    return said.join("") + (close && `US stock of ${close}: too close to call. `) + (still && `US stock of ${still}: no change. `);
  }

  needs(found) {
    const all = found.flatMap(one => one.unmet.map((row, r) => ({ one, row, who: this.data.recipients[r] })));
    const [most] = all.filter(({ row }) => clear(row)).sort((p, q) => size(q.row, q.one) - size(p.row, p.one));
    if (most) return `Change in ${possessive(this.who(most.who))} unmet request, ${this.short(most.one.name)}: ${ranged(most.row)}.`;
    return all.every(({ row }) => flat(row)) ? "Unmet need does not change." : "Change in unmet need: too close to call.";
  }

  // What assumptions change in how many draws fall below the floor; nothing where none is moved.
  assumed(found) {
    if (found.every(({ base, mine }) => base === mine)) return "";
    const moved = found.filter(({ base, mine }) => base.below !== mine.below);
    const said = moved.map(({ name, base, mine }) => `${this.short(name)} ${mine.below} instead of ${base.below}`);
    return said.join(", ") || "as many as before";
  }

  // How much a suspension moves; nothing is given where there is none.
  moves(name, found) {
    if (!found) return `${this.short(name)}: nothing is suspended.`;
    const { moved, of_stock, of_output, of_largest } = found;
    if (moved[2] < LEAST) return `${this.short(name)}: nothing moves.`;
    const show = ([low, middle, high], unit = "") => `${three.format(middle)}${unit} (${three.format(low)} to ${three.format(high)})`;
    return `${this.short(name)}: ${show(moved)} rounds moved: ${show(of_stock, " %")} of the stock, ${show(of_output)} months of output, `
      + `${show(of_largest, " %")} of the largest demand.`;
  }

  suspension(one) {
    const list = (names, titles, none) => names.map(name => titles[name]).join(", ") || none;
    const ways = one.channels.map(name => name === "transfers" ? `transfers ${one.transfers}` : `new production ${one.new_production}`);
    const until = one.end === "horizon" ? "the end" : dayOf(one.end);
    return [
      `${dayOf(one.start)} to ${until}`, list(one.recipients, this.titles.recipients, "nobody"),
      list(one.munitions, this.titles.short, "no munition"), ways.join(", ") || "nothing", `${percent(one.let_through)} goes on`,
    ].join("; ");
  }

  // A setting, line by line.
  described(one, controls) {
    return new Map([
      ["Scenario of the files", one.variant ? this.titles.scenarios[one.variant] : this.data.title],
      ["Suspension", one.suspension ? this.suspension(one.suspension) : "none"],
      ["Served first", one.first ? this.who(one.first) : "nobody"],
      ...Object.entries(one.moved).map(([path, value]) => [this.label(controls.get(path)), this.value(controls.get(path), value)]),
    ]);
  }
}

// Changes by draw: 5th, 50th and 95th percentile. Nothing is said of one whose middle 90 % lie on both sides of nothing, or whose median is
// nothing; as in stockpile/report/spread.py.
function clear([low, middle, high]) { return (low > -LEAST || high < LEAST) && Math.abs(middle) > LEAST; }
function flat([low, , high]) { return Math.abs(low) <= LEAST && Math.abs(high) <= LEAST; }
function size([, middle], { scale }) { return Math.abs(middle) / scale; }
function ranged([low, middle, high]) { return `${signed(middle)} (90 % of draws: ${signed(low)} to ${signed(high)})`; }
