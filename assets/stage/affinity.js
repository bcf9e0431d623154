// One kind of position, as explorers/position_parts.py sends it: a table to compare rows of, or a kernel by offset.

export class Part {
  /** index: of the part in its bundle. shown: of the network's part that it stands beside, where it is another table. */
  constructor({ facts, arrays }, index, shown = index) {
    Object.assign(this, facts.parts[index]);
    this.index = shown;
    for (const name of ["table", "components", "norms", "spectrum", "kernel", "prefix"]) this[`${name}Values`] = arrays[`${name}.${index}`] ?? null;
    this.cells = this.grid[0] * this.grid[1];
  }

  /** Least and greatest value of all pairs, shared by every map of this measure. */
  span(measure, component) {
    return this.spans[this.table ? measure : component === null ? "mean" : "each"];
  }

  /** What the position at `cell` has to do with every other: Float32Array (cells). */
  map([row, column], measure, component) {
    return this.table ? this.#rows(this.tableValues, row * this.grid[1] + column, measure) : this.#offsets(row, column, component);
  }

  /** Cosine of one prefix token's own position with every patch's. */
  prefixMap(token) {
    return this.#compare(this.prefixValues, token, "cosine");
  }

  /** Cosine of each prefix token's own position with that of `cell`. */
  prefixCosines([row, column]) {
    const count = this.prefixValues ? this.prefixValues.shape[0] : 0;
    return Array.from({ length: count }, (_, token) => this.prefixMap(token)[row * this.grid[1] + column]);
  }

  #rows(table, index, measure) {
    return this.#compare(table, index, measure);
  }

  #compare(from, index, measure) {
    const table = this.tableValues;
    const channels = table.shape[1];
    const own = from.subarray(index * channels, (index + 1) * channels);
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    const found = new Float32Array(this.cells);
    for (let other = 0, start = 0; other < this.cells; other++, start += channels) {
      let sum = 0;
      if (measure === "distance") for (let channel = 0; channel < channels; channel++) sum += (own[channel] - table[start + channel]) ** 2;
      else for (let channel = 0; channel < channels; channel++) sum += own[channel] * table[start + channel];
      const norms = this.normsValues[other] * length;
      found[other] = measure === "dot" ? sum : measure === "distance" ? Math.sqrt(sum) : norms ? sum / norms : 0;
    }
    return found;
  }

  #offsets(row, column, component) {
    const [rows, columns] = this.grid;
    const [high, wide] = [2 * rows - 1, 2 * columns - 1];
    const kernel = component === null ? this.#mean() : this.kernelValues.subarray(component * high * wide, (component + 1) * high * wide);
    const found = new Float32Array(this.cells);
    for (let other = 0; other < rows; other++) {
      const start = (rows - 1 + other - row) * wide + columns - 1 - column;
      found.set(kernel.subarray(start, start + columns), other * columns);
    }
    return found;
  }

  #mean() {
    if (this.meanKernel) return this.meanKernel;
    const [count, high, wide] = this.kernelValues.shape;
    this.meanKernel = new Float32Array(high * wide);
    for (let head = 0; head < count; head++)
      for (let at = 0; at < high * wide; at++) this.meanKernel[at] += this.kernelValues[head * high * wide + at] / count;
    return this.meanKernel;
  }
}
