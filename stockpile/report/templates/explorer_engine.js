// The model in the page: unpacks what stockpile/report/explorer/payload.py packed, draws as the library draws, works through the traced
// assembly, and runs the step printed from the equations. OPERATIONS, PAIRS, ROWS and the STEPs are printed beside this text.
"use strict";

const KNOTS = 2048;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

// ------------------------------------------------------------ what is packed

async function unpack(text) {
  const whole = fromBase85(new TextEncoder().encode(text)), inflate = new DecompressionStream("deflate");
  const into = inflate.writable.getWriter();
  into.write(whole.subarray(4, 4 + new DataView(whole.buffer).getUint32(0, true)));
  into.close();
  // Piece by piece: a Response would wait for its turn behind the first painting.
  const pieces = [], reader = inflate.readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  const all = joined(pieces), size = new DataView(all.buffer).getUint32(0, true), bytes = all.subarray(4 + size);
  const data = JSON.parse(new TextDecoder().decode(all.subarray(4, 4 + size)));
  return { data, read: place => "numbers" in place ? numbers(bytes, place) : words(bytes, place) };
}

function joined(pieces) {
  const found = new Uint8Array(pieces.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of pieces) {
    found.set(one, at);
    at += one.length;
  }
  return found;
}

function fromBase85(codes) {
  const digits = new Uint8Array(128), found = new Uint8Array(codes.length / 5 * 4);
  for (let i = 0; i < 85; i++) digits[DIGITS.charCodeAt(i)] = i;
  for (let i = 0, at = 0; i < codes.length; i += 5, at += 4) {
    const upper = 7225 * digits[codes[i]] + 85 * digits[codes[i + 1]] + digits[codes[i + 2]];
    const word = 7225 * upper + 85 * digits[codes[i + 3]] + digits[codes[i + 4]];
    found[at] = word >>> 24;
    found[at + 1] = word >>> 16;
    found[at + 2] = word >>> 8;
    found[at + 3] = word;
  }
  return found;
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

// The upper half of a product of two whole numbers of 32 bits.
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
      const h0 = high(0xD2511F53, c0), l0 = Math.imul(0xD2511F53, c0) >>> 0;
      const h1 = high(0xCD9E8D57, c2), l1 = Math.imul(0xCD9E8D57, c2) >>> 0;
      c0 = (h1 ^ c1 ^ k0) >>> 0;
      c1 = l1;
      c2 = (h0 ^ c3 ^ k1) >>> 0;
      c3 = l0;
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
  const quantile = QUANTILES[shape], edge = piece => Math.min(Math.max(quantile(piece / KNOTS, low, value, high_), low), high_);
  for (let i = 0; i < count; i++) {
    const scaled = u[i] * KNOTS, piece = Math.floor(scaled), start = edge(piece);
    u[i] = start + (edge(piece + 1) - start) * (scaled - piece);
  }
  return u;
}

// ------------------------------------------------------------ the model

class Model {
  constructor(data, read) {
    this.data = data;
    this.read = read;
    this.lanes = data.members;
    this.steps = data.dates.length - 1;
    // Up to here no lever of today reaches back: what a run has there is kept for the next one.
    this.early = Math.max(data.ahead - 2, 0);
    // Rows that are used again have the early months of this run, and need not be given them once more.
    this.filled = new WeakMap();
    this.draws = [];
    this.munitions = Object.keys(data.programs);
    this.made = Object.fromEntries(this.munitions.map(name => [name, this.prepare(name)]));
  }

  // What an input is in each draw; that of a slider is filled in by the program that reads it.
  draw(n) {
    const input = this.data.inputs[n];
    return this.draws[n] ??= "slider" in input ? new Float64Array(this.lanes) : drawn(input, this.lanes, this.read);
  }

  prepare(name) {
    // Pins and variants: programs of what a pinned value, or another scenario, has otherwise; one laid over the other in this order.
    const others = Object.entries({ ...this.data.variants, ...this.data.pins }).filter(([, programs]) => name in programs);
    const pins = Object.fromEntries(others.map(([path, programs]) => [path, new Program(programs[name], this.lanes)]));
    const main = new Program(this.data.programs[name], this.lanes);
    return { main, pins, registers: new Float64Array(0), places: null, pinned: null, largest: null, pasts: new Map() };
  }

  // Months from the start of the run at a date; a day is its share of its own month.
  at(date) {
    const [y, m, d] = date.split("-").map(Number), [y0, m0] = this.data.dates[0].split("-").map(Number);
    return (y - y0) * 12 + m - m0 + (d - 1) / new Date(Date.UTC(y, m, 0)).getUTCDate();
  }

  // Everything known in advance of a munition, with the sliders where they stand; worked out again only where one moved.
  // `key` tells apart what lies in the early months.
  known(name, sliders, variant) {
    const made = this.made[name], where = path => sliders[path] ?? this.data.sliders[path];
    const pins = Object.keys(made.pins).filter(path => path in sliders || path === variant), pinned = pins.join();
    const all = [made.main, ...pins.map(path => made.pins[path])];
    let moved = pinned !== made.pinned;
    for (const one of all) moved = one.run(made, this, where) || moved;
    if (moved) {
      made.places = Object.assign({}, ...all.map(one => one.places));
      made.pinned = pinned;
      made.largest = this.largest(made);
    }
    const early = all.flatMap(({ said }) => Object.keys(said.since).filter(path => said.since[path] < this.early));
    return { ...made, made, key: [pinned, ...early.map(where)].join() };
  }

  // The largest need of a month, of anybody, by draw.
  largest({ places, registers }) {
    const found = new Float64Array(this.lanes), keys = ["own_need", ...this.data.recipients.map((_, r) => `need.${r}`)];
    for (const at of new Set(keys.flatMap(key => [...places[`series.${key}`]]))) {
      for (let i = 0; i < this.lanes; i++) if (registers[at + i] > found[i]) found[i] = registers[at + i];
    }
    return found;
  }

  // The months over which some suspensions reach: from one to before the other; nothing at the end of the run where there are none.
  window(suspensions) {
    if (!suspensions.length) return [this.steps, this.steps];
    const from = suspensions.map(one => Math.floor(this.at(one.start))), to = suspensions.map(one => this.end(one));
    return [Math.max(Math.min(...from), 0), Math.ceil(Math.max(...to))];
  }

  end(suspension) { return suspension.end === "horizon" ? this.steps : Math.min(this.at(suspension.end), this.steps); }

  // Shares that suspensions cut, set aside, hold and divert, by recipient, as means over the steps; where two overlap the larger counts.
  table(suspensions, classes) {
    const table = { "series.history": Float64Array.from(this.data.history) };
    const rank = Object.fromEntries(classes.flatMap((members, n) => members.map(who => [who, n])));
    this.data.recipients.forEach((who, r) => {
      for (const key of ["cut", "set_aside", "hold_new", "divert_new"]) table[`series.${key}.${r}`] = new Float64Array(this.steps);
      table[`constant.priority.${r}`] = rank[who] ?? classes.length;
      table[`constant.weight.${r}`] = 1;
    });
    for (const one of suspensions) {
      const keys = [];
      if (one.channels.includes("transfers")) keys.push(one.transfers === "cancelled" ? "cut" : "set_aside");
      if (one.channels.includes("new_production")) keys.push(one.new_production === "held" ? "hold_new" : "divert_new");
      const start = this.at(one.start), end = this.end(one);
      for (const r of this.data.recipients.keys()) {
        if (!one.recipients.includes(this.data.recipients[r])) continue;
        for (const row of keys.map(key => table[`series.${key}.${r}`])) {
          for (let t = Math.max(Math.floor(start), 0); t < end; t++) {
            row[t] = Math.max(row[t], (1 - one.let_through) * Math.max(Math.min(t + 1, end) - Math.max(t, start), 0));
          }
        }
      }
    }
    return table;
  }

  // One munition under a setting (sliders by path, suspensions of it, priority classes, another scenario): rows over time of shape
  // (steps, lanes), with a month more for stocks; by draw the floor, and the largest need of a month. `rows`: to be written over.
  run(name, { sliders = {}, suspensions = [], classes = [], variant = null }, rows = {}) {
    const { made, registers, places, largest, key } = this.known(name, sliders, variant), { lanes, steps, early } = this;
    const [from, to] = this.window(suspensions), inputs = {}, state = {};
    const plain = classes.length === 0 && from >= early, kept = plain ? made.pasts.get(key) : undefined;
    for (const [input, found] of Object.entries(places)) {
      if (input.startsWith("state.")) state[input] = kept ? kept.state[input].slice() : registers.slice(found[0], found[0] + lanes);
      else inputs[input] = input.startsWith("series.") ? found : found[0];
    }
    for (const row of ROWS) rows[row] ??= new Float64Array((steps + (row === STOCK)) * lanes);
    const table = this.table(suspensions, classes);
    const go = (step, first, last) => step(first, last, lanes, 1, registers, inputs, table, state, rows);
    const advance = (first, last) => {
      if (classes.length) return go(STEP_CLASSES, first, last);
      go(STEP_CALM, first, Math.min(last, from));
      go(STEP, Math.max(first, from), Math.min(last, to));
      go(STEP_CALM, Math.max(first, to), last);
    };
    if (!kept) advance(0, early);
    else if (this.filled.get(rows) !== kept) for (const row of ROWS) rows[row].set(kept.rows[row]);
    this.filled.set(rows, plain ? kept ?? this.keep(made.pasts, key, state, rows) : null);
    advance(early, steps);
    rows[STOCK].set(state[STOCK], steps * lanes);
    return { rows, largest, level: registers.slice(inputs.level, inputs.level + lanes) };
  }

  // Keep the early months of a run for others of the same key; there are as many keys at a time as lines.
  keep(pasts, key, state, rows) {
    if (pasts.size >= LINES.length) pasts.delete(pasts.keys().next().value);
    const past = {
      state: Object.fromEntries(Object.entries(state).map(([name, values]) => [name, values.slice()])),
      rows: Object.fromEntries(ROWS.map(name => [name, rows[name].slice(0, this.early * this.lanes)])),
    };
    pasts.set(key, past);
    return past;
  }
}
