// The model in the page: unpacks what stockpile/report/explorer/payload.py packed, draws as the library draws, works through the traced
// assembly, and runs the step printed from the equations. OPERATIONS and STEP are printed beside this text.
"use strict";

const KNOTS = 2048;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

function unpack(text) {
  const digits = new Uint8Array(128), all = new Uint8Array(text.length / 5 * 4), view = new DataView(all.buffer);
  for (let i = 0; i < 85; i++) digits[DIGITS.charCodeAt(i)] = i;
  for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
    let word = 0;
    for (let k = i; k < i + 5; k++) word = 85 * word + digits[text.charCodeAt(k)];
    view.setUint32(at, word);
  }
  const raw = all.subarray(4, 4 + view.getUint32(0, true));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer().then(buffer => {
    const size = new DataView(buffer).getUint32(0, true);
    const data = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
    const bytes = new Uint8Array(buffer, 4 + size);
    return { data, read: place => "numbers" in place ? numbers(bytes, place) : words(bytes, place) };
  });
}

function numbers(bytes, place) {
  const n = place.count, result = new Float64Array(n), into = new Uint8Array(result.buffer);
  for (let plane = 0; plane < 8; plane++) for (let i = 0; i < n; i++) into[8 * i + plane] = bytes[place.numbers + plane * n + i];
  return result;
}

function words(bytes, place) {
  const n = place.count, result = new Int32Array(n);
  let last = 0;
  for (let i = 0; i < n; i++) result[i] = last = (last + bytes[place.words + i] + 256 * bytes[place.words + n + i]) & 0xffff;
  return result;
}

// ------------------------------------------------------------ draws: Philox4x32-10, as stockpile/philox.py

function high(a, b) {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  return (a1 * b1 + Math.floor((a0 * b1 + middle) / 65536)) >>> 0;
}

function uniforms(key, count) {
  const result = new Float64Array(count);
  for (let block = 0; 2 * block < count; block++) {
    let c0 = block >>> 0, c1 = 0, c2 = 0, c3 = 0, k0 = key[0] >>> 0, k1 = key[1] >>> 0;
    for (let round = 0; round < 10; round++) {
      const h0 = high(0xD2511F53, c0), l0 = Math.imul(0xD2511F53, c0) >>> 0, h1 = high(0xCD9E8D57, c2), l1 = Math.imul(0xCD9E8D57, c2) >>> 0;
      [c0, c1, c2, c3] = [(h1 ^ c1 ^ k0) >>> 0, l1, (h0 ^ c3 ^ k1) >>> 0, l0];
      k0 = (k0 + 0x9E3779B9) >>> 0;
      k1 = (k1 + 0xBB67AE85) >>> 0;
    }
    result[2 * block] = ((c0 >>> 6) * 67108864 + (c1 >>> 6) + 0.5) * 2 ** -52;
    if (2 * block + 1 < count) result[2 * block + 1] = ((c2 >>> 6) * 67108864 + (c3 >>> 6) + 0.5) * 2 ** -52;
  }
  return result;
}

const QUANTILES = {
  uniform: (p, low, value, high) => low + (high - low) * p,
  triangular: (p, low, value, high) => {
    const width = high - low;
    return p * width < value - low ? low + Math.sqrt(p * width * (value - low)) : high - Math.sqrt((1 - p) * width * (high - value));
  },
};

function drawn(input, count, read) {
  if (input.values) return read(input.values);
  const u = input.uniforms ? read(input.uniforms) : uniforms(input.key, count);
  if (input.choice) return u.map(one => input.choice.findLast(([first]) => first <= Math.floor(one * KNOTS))[1]);
  if (!input.shape) return u;
  const [shape, low, value, high_] = input.shape;
  const edge = piece => Math.min(Math.max(QUANTILES[shape](piece / KNOTS, low, value, high_), low), high_);
  return u.map(one => {
    const scaled = one * KNOTS, piece = Math.floor(scaled), start = edge(piece);
    return start + (edge(piece + 1) - start) * (scaled - piece);
  });
}

// ------------------------------------------------------------ programs: everything known in advance

class Program {
  constructor(said, base, lanes, data, read) {
    this.base = base;
    this.length = said.length;
    this.code = said.code.map(read);
    this.values = read(said.values);
    this.size = said.registers * lanes;
    this.places = Object.fromEntries(Object.entries(said.places).map(([name, one]) => [name, read(one).map(place => base + place * lanes)]));
    const [operation, , first] = this.code;
    this.sliders = [...new Set(first.filter((_, k) => operation[k] === 0))].map(n => data.inputs[n].slider).filter(path => path !== undefined);
    this.said = null;
  }

  fill(registers, lanes) {
    this.values.forEach((value, place) => registers.fill(value, this.base + place * lanes, this.base + (place + 1) * lanes));
  }

  // Work through the program where a slider that it reads has moved; tell whether it did.
  run(registers, lanes, draws, where) {
    const said = this.sliders.map(where).join();
    if (said === this.said) return false;
    const [operation, target, a, b, c] = this.code, base = this.base;
    for (let k = 0; k < this.length; k++) {
      const into = base + target[k] * lanes;
      if (operation[k] === 0) registers.set(draws[a[k]], into);
      else OPERATIONS[operation[k]](registers, into, base + a[k] * lanes, base + b[k] * lanes, base + c[k] * lanes, lanes);
    }
    this.said = said;
    return true;
  }
}

// ------------------------------------------------------------ the model

class Model {
  constructor(data, read) {
    this.data = data;
    this.lanes = data.members;
    this.steps = data.dates.length - 1;
    this.draws = data.inputs.map(input => "slider" in input ? new Float64Array(this.lanes) : drawn(input, this.lanes, read));
    this.munitions = Object.keys(data.programs);
    this.made = Object.fromEntries(this.munitions.map(name => [name, this.prepare(name, read)]));
    this.early = Math.max(data.ahead - 2, 0);
  }

  prepare(name, read) {
    const lanes = this.lanes, main = new Program(this.data.programs[name], 0, lanes, this.data, read), pins = {};
    let size = main.size;
    // Pins and variants: programs of what a pinned value, or another scenario, has otherwise; one laid over the other in this order.
    for (const [path, programs] of [...Object.entries(this.data.variants), ...Object.entries(this.data.pins)]) {
      if (!(name in programs)) continue;
      pins[path] = new Program(programs[name], size, lanes, this.data, read);
      size += pins[path].size;
    }
    const registers = new Float64Array(size);
    for (const one of [main, ...Object.values(pins)]) one.fill(registers, lanes);
    return { main, pins, registers, places: null, version: 0, pinned: "", past: null };
  }

  // Months from the start of the run at a date; a day is its share of its own month.
  at(date) {
    const [y, m, d] = date.split("-").map(Number), [y0, m0] = this.data.dates[0].split("-").map(Number);
    return (y - y0) * 12 + m - m0 + (d - 1) / new Date(Date.UTC(y, m, 0)).getUTCDate();
  }

  // Everything known in advance of a munition, with the sliders where they stand; worked out again only where one moved.
  known(name, sliders, variant) {
    const made = this.made[name], where = path => sliders[path] ?? this.data.sliders[path];
    this.data.inputs.forEach((input, number) => { if ("slider" in input) this.draws[number].fill(where(input.slider)); });
    const pins = Object.keys(made.pins).filter(path => path in sliders || path === variant);
    let moved = made.main.run(made.registers, this.lanes, this.draws, where) || made.pinned !== pins.join();
    for (const path of pins) moved = made.pins[path].run(made.registers, this.lanes, this.draws, where) || moved;
    if (moved) {
      made.places = Object.assign({}, made.main.places, ...pins.map(path => made.pins[path].places));
      made.pinned = pins.join();
      made.version++;
    }
    return made;
  }

  // Shares that suspensions cut, set aside, hold and divert, by recipient, as means over the steps; where two overlap the larger counts.
  table(name, suspensions, classes) {
    const table = { "series.history": Float64Array.from(this.data.history) };
    const rank = Object.fromEntries(classes.flatMap((members, n) => members.map(who => [who, n])));
    this.data.recipients.forEach((who, r) => {
      for (const key of ["cut", "set_aside", "hold_new", "divert_new"]) table[`series.${key}.${r}`] = new Float64Array(this.steps);
      table[`constant.priority.${r}`] = rank[who] ?? classes.length;
      table[`constant.weight.${r}`] = 1;
    });
    for (const one of suspensions.filter(({ munitions }) => munitions.includes(name))) {
      const keys = [
        ...(one.channels.includes("transfers") ? [one.transfers === "cancelled" ? "cut" : "set_aside"] : []),
        ...(one.channels.includes("new_production") ? [one.new_production === "held" ? "hold_new" : "divert_new"] : []),
      ];
      const start = this.at(one.start), end = one.end === "horizon" ? this.steps : this.at(one.end);
      this.data.recipients.forEach((who, r) => {
        for (const key of one.recipients.includes(who) ? keys : []) {
          const row = table[`series.${key}.${r}`];
          for (let t = Math.max(Math.floor(start), 0); t < Math.min(end, this.steps); t++) {
            row[t] = Math.max(row[t], (1 - one.let_through) * Math.max(Math.min(t + 1, end) - Math.max(t, start), 0));
          }
        }
      });
    }
    return table;
  }

  // One munition under a setting (sliders by path, suspensions, priority classes, another scenario): rows over time of shape (steps, lanes), and the stocks at the end.
  // What lies before the first suspension is the same for all runs of a setting, and is kept. `kept`: rows to be written over.
  run(name, { sliders = {}, suspensions = [], classes = [], variant = null }, kept = {}) {
    const made = this.known(name, sliders, variant), lanes = this.lanes, registers = made.registers, key = `${made.version} ${classes.length > 0}`;
    const first = Math.min(this.early, ...suspensions.map(one => Math.max(Math.floor(this.at(one.start)), 0)));
    const whole = classes.length > 0 || first < this.early || made.past?.key !== key;
    const state = {}, places = {}, rows = kept, table = this.table(name, suspensions, classes), step = classes.length ? STEP_CLASSES : STEP;
    for (const [key, found] of Object.entries(made.places)) {
      if (key.startsWith("state.")) state[key] = whole ? registers.slice(found[0], found[0] + lanes) : made.past.state[key].slice();
      else if (key.startsWith("constant.")) places[key] = found[0];
      else if (key.startsWith("series.")) places[key] = found;
    }
    for (const key of ROWS) rows[key] ??= new Float64Array(this.steps * lanes);
    if (whole) step(0, this.early, lanes, 1, registers, places, table, state, rows);
    else for (const key of ROWS) rows[key].set(made.past.rows[key]);
    if (whole && classes.length === 0 && first === this.early) {
      const kept = Object.fromEntries(ROWS.map(one => [one, rows[one].slice(0, this.early * lanes)]));
      made.past = { key, state: Object.fromEntries(Object.entries(state).map(([one, values]) => [one, values.slice()])), rows: kept };
    }
    step(this.early, this.steps, lanes, 1, registers, places, table, state, rows);
    const level = key => registers.slice(made.places[`level.${key}`][0], made.places[`level.${key}`][0] + lanes);
    return { rows, state, level };
  }
}
