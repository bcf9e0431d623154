// Painting a mask: strokes by pointer and keyboard, undo. Nothing here asks the server.

const KEPT = 100;
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Brush {
  /** painted(squares that changed). finished(): a stroke or key is done. pointed(patch or null). */
  constructor({ painted, finished, pointed }) {
    Object.assign(this, { painted, finished, pointed });
    this.mask = new Uint8Array(1);
    this.hidden = 0; // squares, counted along, so that a stroke's work does not grow with the grid
    this.grid = [1, 1];
    this.cursor = null;
    this.past = [];
  }

  /** Whether a stroke is under way. */
  get down() {
    return this.last !== undefined;
  }

  /** A mask from elsewhere: kind and seed, the object, the address. */
  set(mask, grid, keep = true) {
    if (keep && this.mask.length === mask.length) this.#remember();
    if (String(grid) !== String(this.grid)) [this.past, this.cursor] = [[], null];
    [this.mask, this.grid] = [mask, grid];
    this.#count();
  }

  /** Strokes on a panel: the first square says whether squares are hidden or shown. */
  listen(panel) {
    const { canvas } = panel;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => {
      const patch = panel.patch(event, this.grid);
      if (patch === null) return;
      canvas.setPointerCapture(event.pointerId);
      this.#remember();
      this.value = this.mask[patch] ? 0 : 1;
      this.last = patch;
      this.#line(patch);
    });
    canvas.addEventListener("pointermove", (event) => {
      const patch = panel.patch(event, this.grid);
      if (this.down && patch !== null) this.#line(patch);
      this.pointed(patch);
    });
    const end = () => {
      if (!this.down) return;
      this.last = undefined;
      this.finished();
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", () => this.pointed(null));
    canvas.addEventListener("blur", () => this.#move(null));
  }

  /** Arrows move, space or enter hides or shows, shift with arrows paints on. True where the key meant something. */
  key(event) {
    const step = STEPS[event.key];
    if (step) {
      const [row, column] = this.cursor === null ? [0, 0] : [Math.floor(this.cursor / this.grid[1]), this.cursor % this.grid[1]];
      const next = [Math.min(this.grid[0] - 1, Math.max(0, row + step[0])), Math.min(this.grid[1] - 1, Math.max(0, column + step[1]))];
      const from = this.cursor;
      this.#move(this.cursor === null ? 0 : next[0] * this.grid[1] + next[1]);
      if (event.shiftKey && from !== null) this.#put(this.cursor, this.mask[from]);
      return true;
    }
    if (event.key !== " " && event.key !== "Enter") return false;
    if (this.cursor === null) this.#move(0);
    else this.#put(this.cursor, this.mask[this.cursor] ? 0 : 1);
    return true;
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    this.#all(before);
  }

  /** Every square by a rule of its own: invert, clear, all. */
  every(rule) {
    this.#remember();
    this.#all(this.mask.map(rule));
  }

  #all(mask) {
    const changed = [...mask.keys()].filter((patch) => mask[patch] !== this.mask[patch]);
    this.mask = mask;
    this.#count();
    this.painted(changed);
    this.finished();
  }

  #count() {
    this.hidden = this.mask.reduce((sum, value) => sum + value, 0);
  }

  #change(patch, value) {
    this.mask[patch] = value;
    this.hidden += value ? 1 : -1;
  }

  #put(patch, value) {
    if (this.mask[patch] === value) return;
    this.#remember();
    this.#change(patch, value);
    this.painted([patch]);
    this.finished();
  }

  #move(patch) {
    this.cursor = patch;
    this.pointed(patch);
  }

  #remember() {
    this.past.push(this.mask.slice());
    if (this.past.length > KEPT) this.past.shift();
  }

  /** Squares from the last one to this, so that a fast pointer leaves no holes. */
  #line(patch) {
    const columns = this.grid[1];
    const [row, column] = [Math.floor(this.last / columns), this.last % columns];
    const [down, right] = [Math.floor(patch / columns) - row, (patch % columns) - column];
    const steps = Math.max(Math.abs(down), Math.abs(right), 1);
    const changed = [];
    for (let step = 0; step <= steps; step++) {
      const place = Math.round(row + (down * step) / steps) * columns + Math.round(column + (right * step) / steps);
      if (this.mask[place] === this.value) continue;
      this.#change(place, this.value);
      changed.push(place);
    }
    this.last = patch;
    if (changed.length) this.painted(changed);
  }
}
