// Programs: everything known in advance of a munition, worked out from draws and sliders on rows of draws, the registers.

// A file of registers with room for more behind it.
function longer(registers, more) {
  const found = new Float64Array(registers.length + more);
  found.set(registers);
  return found;
}

class Program {
  // It is read, and given its registers behind those of its munition, when it is first run: those of other scenarios may never be.
  constructor(said, lanes) { Object.assign(this, { said, lanes, base: 0, code: null, stands: null, rests: null }); }

  open(made, { data: { inputs }, read }) {
    const { said, lanes } = this, base = this.base = made.registers.length;
    // A register more than it asks for: what is on the way in operations of two.
    made.registers = longer(made.registers, (said.registers + 1) * lanes);
    this.code = said.code.map(read);
    const [operation, , first] = this.code, drawn = [...new Set(first.filter((_, k) => operation[k] === 0))];
    this.sliders = new Map(drawn.filter(n => "slider" in inputs[n]).map(n => [n, inputs[n].slider]));
    const places = Object.entries(said.places).map(([name, one]) => [name, read(one)]);
    this.lasting = new Set(places.flatMap(([, one]) => [...one]));
    this.places = Object.fromEntries(places.map(([name, one]) => [name, one.map(place => base + place * lanes)]));
    read(said.values).forEach((value, place) => made.registers.fill(value, base + place * lanes, base + (place + 1) * lanes));
  }

  // Work out what rests on sliders that moved; tell whether any did. The second run finds out what rests on which.
  run(made, model, where) {
    const isFirst = !this.code, isSecond = Boolean(this.code) && !this.rests;
    if (isFirst) this.open(made, model);
    const stand = [...this.sliders.values()].map(where);
    let moved = 0;
    stand.forEach((one, k) => { if (one !== this.stands?.[k]) moved |= this.bit(k); });
    if (!moved && !isFirst) return false;
    [...this.sliders.keys()].forEach((n, k) => model.draw(n).fill(stand[k]));
    if (isSecond) this.untangle(made);
    this.work(made.registers, model, isFirst || isSecond ? null : moved);
    this.stands = stand;
    return true;
  }

  // What stands for a slider in a set of them; the last ones share a bit, and are worked out together.
  bit(k) { return 1 << Math.min(k, 30); }

  // Find for each operation the sliders that it rests on, and give what others read of it, that do not rest on the same ones, a register
  // of its own: so that these others can be worked out again by themselves.
  untangle(made) {
    const [operation, target, ...given] = this.code, { said, lanes, lasting } = this;
    const bits = new Map([...this.sliders.keys()].map((n, k) => [n, this.bit(k)]));
    const rests = new Int32Array(operation.length), writer = new Int32Array(said.registers).fill(-1), own = new Set();
    for (let k = 0; k < operation.length; k++) {
      const from = operation[k] === 0 ? [] : given.map(one => writer[one[k]]).filter(one => one >= 0);
      rests[k] = operation[k] === 0 ? bits.get(given[0][k]) ?? 0 : from.reduce((all, one) => all | rests[one], 0);
      for (const one of from) if (rests[k] & ~rests[one] && !lasting.has(target[one])) own.add(one);
      writer[target[k]] = k;
    }
    this.rests = rests;
    const behind = (made.registers.length - this.base) / lanes, stands = Int32Array.from({ length: said.registers }, (_, place) => place);
    made.registers = longer(made.registers, own.size * lanes);
    let more = 0;
    for (let k = 0; k < operation.length; k++) {
      if (operation[k] !== 0) for (const one of given) one[k] = stands[one[k]];
      stands[target[k]] = own.has(k) ? behind + more++ : target[k];
      target[k] = stands[target[k]];
    }
  }

  // Work through the program, or through what rests on sliders that moved.
  work(registers, model, moved) {
    const [operation, target, a, b, c] = this.code, { base, lanes, rests } = this, way = base + this.said.registers * lanes;
    for (let k = 0; k < operation.length; k++) {
      if (moved !== null && !(rests[k] & moved)) continue;
      const code = operation[k], into = base + target[k] * lanes, pair = PAIRS[code];
      const first = base + a[k] * lanes, second = base + b[k] * lanes, third = base + c[k] * lanes;
      if (code === 0) {
        registers.set(model.draw(a[k]), into);
      } else if (!pair) {
        OPERATIONS[code](registers, into, first, second, third, lanes);
      } else {
        OPERATIONS[pair[1]](registers, way, first, second, 0, lanes);
        if (pair[2]) OPERATIONS[pair[0]](registers, into, third, way, 0, lanes);
        else OPERATIONS[pair[0]](registers, into, way, third, 0, lanes);
      }
    }
  }
}
