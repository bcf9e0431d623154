// The attention of one picture, as explorers/maps.py sends it: rows, columns, fused heads, mass masks. No drawing here.
//
// A query is written as in the permalink: "prefix 0", "patch 12,7" (row, column on the first block's grid), "mean", "pool".

import { fetchBundle } from "./bundle.js";
import { isToken, middle, tokenThere } from "./places.js";
import { decode, decoded, fuse, split } from "./rows.js";

export { fuse, massMask, meanDistance, quantile, split } from "./rows.js";

const KEPT_ROWS = 64;

export class Maps {
  /** facts and arrays of the picture's bundle. */
  constructor({ facts, arrays }) {
    this.facts = facts;
    this.arrays = arrays;
    this.layers = facts.layers;
    this.rowsets = new Map(Object.keys(facts.rows).map((query) => [`from ${query}`, this.#under(`${query}/`)]));
    this.waiting = new Map();
    this.homes = this.layers.map((_, block) => this.#home(block));
    this.memory = new Map();
  }

  get blocks() {
    return this.layers.length;
  }

  /** Blocks in which a query exists: the pool stands behind the last one. */
  has(block, query) {
    return query !== "pool" || block === this.blocks - 1;
  }

  /** Token index in `block` of a query that is a token; patches go to the same place of coarser grids. */
  token(block, query) {
    const [kind, place] = query.split(" ");
    if (kind === "prefix") return Number(place);
    const [row, column] = this.cell(block, query);
    return this.layers[block].prefix + row * this.layers[block].grid[1] + column;
  }

  /** [row, column] of a patch query on the grid of `block`, or null. */
  cell(block, query) {
    if (!query.startsWith("patch ")) return null;
    const [row, column] = query.slice(6).split(",").map(Number);
    const first = this.layers[0].grid;
    const now = this.layers[block].grid;
    return [Math.floor((row * now[0]) / first[0]), Math.floor((column * now[1]) / first[1])];
  }

  /** Whether a query written in an address exists for this picture. */
  askable(query) {
    return isToken(query) ? tokenThere(query, this.layers[0]) : query in this.facts.rows;
  }

  /** The patch in the middle, for questions that need a place. */
  central() {
    return `patch ${middle(this.layers[0].grid).join(",")}`;
  }

  /** True where every block's map of this query is here already. */
  here(query, direction) {
    return this.rowsets.has(`${direction} ${query}`) || (this.facts.whole && /^(patch|prefix)/.test(query)) || (direction === "from" && query in this.facts.rows);
  }

  /** Fetch the rows (or columns) of a query; resolves at once where they are here. */
  async fetch(query, direction) {
    const key = `${direction} ${query}`;
    if (this.here(query, direction)) return;
    if (!this.waiting.has(key)) {
      const arriving = fetchBundle(this.facts.addresses.rows, { query, direction }).finally(() => this.waiting.delete(key));
      this.waiting.set(key, arriving);
    }
    this.rowsets.set(key, (await this.waiting.get(key)).arrays);
    const fetched = [...this.rowsets.keys()].filter((name) => !(name.slice(5) in this.facts.rows));
    if (fetched.length > KEPT_ROWS) this.rowsets.delete(fetched[0]);
  }

  /** One Float32Array (tokens) for each head; null where it has not arrived. */
  heads(block, query, direction) {
    const key = `${block} ${direction} ${query}`;
    if (this.memory.has(key)) return this.memory.get(key);
    const made = this.#heads(block, query, direction);
    if (made) this.#remember(key, made);
    return made;
  }

  /**
   * One map. head: number, or null for all of them fused by "mean", "max" or "min".
   * {values: (patches), prefix: (prefix tokens), peak, mass}: `mass` is the sum over patches.
   */
  map(block, head, fusion, query, direction) {
    const key = `${block} ${head} ${fusion} ${direction} ${query} map`;
    if (this.memory.has(key)) return this.memory.get(key);
    const heads = this.has(block, query) ? this.heads(block, query, direction) : null;
    if (!heads) return null;
    const row = head === null ? fuse(heads, fusion) : heads[head];
    const made = split(row, this.layers[block].prefix);
    this.#remember(key, made);
    return made;
  }

  /** [entropy in bits, mass on prefix tokens, mass on all tokens] of a row, or [sum, share from prefix tokens, sum] of a column; exact. */
  figures(block, head, query, direction) {
    const rows = this.rowsets.get(`${direction} ${query}`);
    const heads = this.layers[block].heads;
    const place = head === null ? heads : head;
    if (rows?.[`figures.${block}`]) return rows[`figures.${block}`].subarray(place * 3, place * 3 + 3);
    if (!this.facts.whole || direction !== "from") return null;
    const figures = this.arrays[`figures.${block}`];
    const at = (place * figures.shape[1] + this.token(block, query)) * 3;
    return figures.subarray(at, at + 3);
  }

  /** (patches) 1 inside the window that a patch query may look at, 0 outside; null where there is but one window. */
  window(block, query) {
    const members = this.arrays[`members.${block}`];
    if (!members || !query.startsWith("patch ")) return null;
    const { prefix, span, grid } = this.layers[block];
    const home = this.homes[block][this.token(block, query)];
    const start = home - (home % span);
    const regions = this.arrays[`regions.${block}`];
    const inside = new Uint8Array(grid[0] * grid[1]);
    for (let place = start; place < start + span; place++)
      if (members[place] >= prefix && regions[place] === regions[home]) inside[members[place] - prefix] = 1;
    return inside;
  }

  #heads(block, query, direction) {
    const rows = this.rowsets.get(`${direction} ${query}`);
    if (rows) return this.#fromRows(rows, block);
    if (!this.here(query, direction)) return null;
    return direction === "from" ? this.#wholeRow(block, this.token(block, query)) : this.#wholeColumn(block, this.token(block, query));
  }

  #fromRows(rows, block) {
    const codes = rows[`codes.${block}`];
    if (!codes) return null;
    const [heads, tokens] = codes.shape;
    return Array.from({ length: heads }, (_, head) => decode(codes, head * tokens, tokens, rows[`peaks.${block}`][head]));
  }

  #wholeRow(block, token) {
    const { span, codes, peaks, window, place, first } = this.#window(block, token);
    return first.map((start) => {
      const row = start + place;
      return this.#spread(block, window, decode(codes, row * span, span, peaks[row]));
    });
  }

  #wholeColumn(block, token) {
    const { span, codes, peaks, window, place, first } = this.#window(block, token);
    return first.map((start) => {
      const column = Float32Array.from({ length: span }, (_, row) => decoded(codes[(start + row) * span + place], peaks[start + row]));
      return this.#spread(block, window, column);
    });
  }

  /** Where a token lies: its window, its place in that, and the window's first row for each head. */
  #window(block, token) {
    const { span, heads } = this.layers[block];
    const home = this.homes[block][token];
    const window = Math.floor(home / span);
    const first = Array.from({ length: heads }, (_, head) => (window * heads + head) * span);
    return { span, codes: this.arrays[`codes.${block}`], peaks: this.arrays[`peaks.${block}`], window, place: home % span, first };
  }

  #spread(block, window, local) {
    const members = this.arrays[`members.${block}`];
    if (!members) return local;
    const { prefix, grid, span } = this.layers[block];
    const whole = new Float32Array(prefix + grid[0] * grid[1]);
    for (let place = 0; place < span; place++) {
      const token = members[window * span + place];
      if (token >= 0) whole[token] = local[place];
    }
    return whole;
  }

  #home(block) {
    const members = this.arrays[`members.${block}`];
    const { prefix, grid } = this.layers[block];
    if (!members) return Int32Array.from({ length: prefix + grid[0] * grid[1] }, (_, token) => token);
    const home = new Int32Array(prefix + grid[0] * grid[1]);
    members.forEach((token, place) => token >= 0 && (home[token] = place));
    return home;
  }

  #under(start) {
    const names = Object.keys(this.arrays).filter((name) => name.startsWith(start));
    return Object.fromEntries(names.map((name) => [name.slice(start.length), this.arrays[name]]));
  }

  #remember(key, value) {
    this.memory.set(key, value);
    if (this.memory.size > 600) this.memory.delete(this.memory.keys().next().value);
  }
}
