// How far each head's attention has moved in each block: heads down, blocks across; a click chooses both.

import { pixels, themed } from "./colours.js";
import { make, number, say } from "./words.js";

const CELL = 16; // pixels of the canvas; CSS fits it into its card

export class Matrix {
  /** choose(block, head): head is null for the mean. */
  constructor(choose) {
    this.canvas = make("canvas.pl-matrix", { role: "img", label: "Attention moved, heads over blocks" });
    this.words = make("p.pl-note");
    this.element = make(".pl-matrix-box", {}, this.canvas, this.words);
    this.canvas.addEventListener("click", (event) => {
      const cell = this.#cell(event);
      if (cell) choose(cell.block, cell.block === this.chosen.block && cell.head === this.chosen.head ? null : cell.head);
    });
    this.canvas.addEventListener("pointermove", (event) => this.#tell(this.#cell(event)));
    this.canvas.addEventListener("pointerleave", () => this.#tell(null));
  }

  /** moved: (blocks, heads) of [0, 1], NaN where a block has fewer heads. */
  draw(moved, chosen) {
    Object.assign(this, { moved, chosen });
    const [blocks, heads] = moved.shape;
    this.peak = moved.reduce((most, value) => (value > most ? value : most), 0);
    [this.canvas.width, this.canvas.height] = [blocks * CELL, heads * CELL];
    const turned = Float32Array.from({ length: blocks * heads }, (_, at) => moved[(at % blocks) * heads + Math.floor(at / blocks)]);
    const image = pixels(turned.map((value) => (Number.isNaN(value) ? 0 : value)), [heads, blocks], this.peak, "viridis", null, turned.map((value) => Number(!Number.isNaN(value))));
    const small = document.createElement("canvas");
    [small.width, small.height] = [blocks, heads];
    small.getContext("2d").putImageData(image, 0, 0);
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
    const { block, head } = chosen;
    for (const [colour, width] of [["rgba(0, 0, 0, 0.6)", 4], [themed("accent"), 2]]) {
      [context.strokeStyle, context.lineWidth] = [colour, width];
      if (head === null) context.strokeRect(block * CELL + 1, 1, CELL - 2, chosen.heads[block] * CELL - 2);
      else context.strokeRect(block * CELL + 1, head * CELL + 1, CELL - 2, CELL - 2);
    }
    this.#tell(null);
  }

  #tell(cell) {
    const share = cell && this.moved[cell.block * this.moved.shape[1] + cell.head];
    this.words.textContent = cell
      ? say("Block {block}, head {head}: {moved} % moved.", { block: cell.block + 1, head: cell.head + 1, moved: number(100 * share, 3) })
      : say("From 0 to {peak} %, each head for itself.", { peak: number(100 * this.peak, 3) });
  }

  #cell(event) {
    if (!this.moved) return null;
    const box = this.canvas.getBoundingClientRect();
    const [blocks, heads] = this.moved.shape;
    const block = Math.floor(((event.clientX - box.left) / box.width) * blocks);
    const head = Math.floor(((event.clientY - box.top) / box.height) * heads);
    return block >= 0 && block < blocks && head >= 0 && head < this.chosen.heads[block] ? { block, head } : null;
  }
}
