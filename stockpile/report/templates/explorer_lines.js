// What is said of runs: quantiles over the draws, and what a suspension moves.

const STOCK = "state.us_on_hand", SHARES = [0.05, 0.25, 0.5, 0.75, 0.95], RANGE = [0.05, 0.5, 0.95], NEVER = Infinity;

// Between ordered numbers, by linear interpolation, as the library's quantiles.
function between(ordered, share) {
  const place = share * (ordered.length - 1), low = ordered[Math.floor(place)], high = ordered[Math.ceil(place)];
  return low === high ? low : low + (high - low) * (place % 1);
}

function quantiles(values, shares) {
  const ordered = values.slice().sort();
  return shares.map(share => between(ordered, share));
}

// Puts the draws of one month after another in order. From month to month the order hardly changes: so each begins with that of the last.
class Order {
  constructor(count) {
    this.draws = Int32Array.from({ length: count }, (_, i) => i);
    this.values = new Float64Array(count);
  }

  sort(row, at) {
    const { draws, values } = this;
    for (let k = 0; k < draws.length; k++) {
      const draw = draws[k], value = row[at + draw];
      let place = k;
      for (; place > 0 && values[place - 1] > value; place--) {
        values[place] = values[place - 1];
        draws[place] = draws[place - 1];
      }
      values[place] = value;
      draws[place] = draw;
    }
    return values;
  }
}

function equal(a, b) {
  for (let k = a.length - 1; k >= 0; k--) if (a[k] !== b[k]) return false;
  return true;
}

// How many numbers are the same before the first that differs.
function alike(a, b) {
  let k = 0;
  while (k < a.length && a[k] === b[k]) k++;
  return k;
}

// What the page says of a run of a munition, draw by draw and over time. What is the same as in another line (`like`) is taken from there.
class Line {
  constructor(model, { rows, level, largest }, like) {
    const { lanes, steps } = model;
    Object.assign(this, { n: lanes, steps, ahead: model.data.ahead, rows, stock: rows[STOCK], level, largest });
    this.atEnd = this.stock.slice(steps * lanes);
    this.follow();
    this.fan = this.fans(like);
    this.most = this.fan.at(-1).reduce((one, two) => Math.max(one, two));
    const as = model.data.recipients.map((_, r) => like && equal(rows[`flow.unmet.${r}`], like.rows[`flow.unmet.${r}`]));
    this.unmet = as.map((same, r) => same ? like.unmet[r] : this.sums(`flow.unmet.${r}`));
    this.need = as.map((same, r) => same ? like.need[r] : this.cumulative(`flow.unmet.${r}`));
    this.said = [this.atEnd, this.lowest, ...this.unmet].map(one => quantiles(one, SHARES));
    [this.middle] = quantiles(level, [0.5]);
  }

  // The lowest stock after the date of knowledge, and the first date below the floor.
  follow() {
    const { n, stock, level } = this, lowest = new Float64Array(n).fill(Infinity), first = new Float64Array(n).fill(NEVER);
    for (let t = 0; t <= this.steps; t++) {
      const at = t * n, ahead = t >= this.ahead;
      for (let i = 0; i < n; i++) {
        const now = stock[at + i];
        if (ahead && now < lowest[i]) lowest[i] = now;
        if (now < level[i] && first[i] === NEVER) first[i] = t;
      }
    }
    const fallen = first.filter(one => one < NEVER);
    Object.assign(this, { lowest, first, below: fallen.length, typical: fallen.length ? quantiles(fallen, [0.5])[0] : NEVER });
  }

  sums(key) {
    const found = new Float64Array(this.n), row = this.rows[key];
    for (let at = 0; at < row.length; at += this.n) for (let i = 0; i < this.n; i++) found[i] += row[at + i];
    return found;
  }

  // Five rows over the dates.
  fans(like) {
    const { n, stock } = this, found = SHARES.map(() => new Float64Array(this.steps + 1)), order = new Order(n);
    const from = like ? Math.floor(alike(stock, like.stock) / n) : 0;
    for (let q = 0; q < SHARES.length; q++) if (from) found[q].set(like.fan[q].subarray(0, from));
    for (let t = from; t <= this.steps; t++) {
      const ordered = order.sort(stock, t * n);
      for (let q = 0; q < SHARES.length; q++) found[q][t] = between(ordered, SHARES[q]);
    }
    return found;
  }

  // Unmet need since the date of knowledge, each quarter: three rows.
  cumulative(key) {
    const { n, steps } = this, row = this.rows[key], sum = new Float64Array(n), order = new Order(n), found = RANGE.map(() => []);
    const from = this.ahead - 1;
    for (let t = from; t <= steps; t++) {
      if ((t - from) % 3 === 0 || t === steps) {
        const ordered = order.sort(sum, 0);
        RANGE.forEach((share, q) => found[q].push(between(ordered, share)));
      }
      if (t < steps) for (let i = 0, at = t * n; i < n; i++) sum[i] += row[at + i];
    }
    return found;
  }
}

// What a suspension moves from the line `a` without it to `b`, alone and over the stock, a month's output (`at` its start), and the
// largest demand of a month.
function materiality(a, b, at) {
  const { n } = a, moved = new Float64Array(n);
  for (const key of ROWS.filter(one => one.startsWith("flow.moved."))) b.sums(key).forEach((one, i) => { moved[i] += one; });
  const over = (below, factor) => quantiles(moved.map((one, i) => one === 0 ? 0 : factor * one / below[i]), RANGE);
  const then = row => row.subarray(at * n, (at + 1) * n);
  return {
    moved: quantiles(moved, RANGE), of_stock: over(then(a.stock), 100), of_output: over(then(a.rows["flow.delivered"]), 1),
    of_largest: over(a.largest, 100),
  };
}

// The change from a line to another, draw by draw: of the stock at the end, and of each recipient's unmet need.
function change(a, b) {
  const less = (x, y) => a === b ? [0, 0, 0] : quantiles(x.map((one, i) => one - y[i]), RANGE);
  return { stock: less(b.atEnd, a.atEnd), unmet: b.unmet.map((one, r) => less(one, a.unmet[r])) };
}
