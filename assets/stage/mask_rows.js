// Where a clicked square takes its guess from: asked once a click, for all blocks; which block is shown is chosen here.

export class Rows {
  constructor({ asks, asked, drawn }) {
    Object.assign(this, { asks, asked, drawn, found: null });
  }

  /** The square on the mask's grid that was clicked. */
  get patch() {
    return this.found?.patch ?? null;
  }

  /** The same square on the network's own grid: row and column. */
  get place() {
    return this.found?.place ?? null;
  }

  clear() {
    this.asks.turns.end("sources");
    this.found = null;
  }

  /** A square of this network's own grid, which may be finer than the mask's. */
  chooseFine(row, column) {
    const [rows, columns] = this.drawn.kept.facts.grid;
    const [high, wide] = this.asked.grid;
    return this.choose(Math.floor((row * high) / rows) * wide + Math.floor((column * wide) / columns), [row, column]);
  }

  async choose(patch, fine = null) {
    const [rows, columns] = this.drawn.kept.facts?.grid ?? this.asked.grid;
    const [high, wide] = this.asked.grid;
    const place = fine ?? [Math.floor((Math.floor(patch / wide) * rows) / high), Math.floor(((patch % wide) * columns) / wide)];
    await this.asks.latest("sources", { ...this.asked.question(), patch: place.join(",") }, (found) => {
      this.found = { ...found, patch, place, hidden: Boolean(this.asked.brush.mask[patch]) };
      this.block(null);
      this.drawn.choose(this.drawn.kept.views.decoder && this.found.hidden ? "decoder" : "encoder");
    });
  }

  /** Show a block, from 0; null for the last. */
  block(number) {
    this.drawn.kept.sources(this.found, number);
    this.drawn.redraw?.();
  }
}
