// The large map of one position beside a small map of each, on one scale.

import { Board, coloured, painted } from "./board.js";
import { gradient } from "./colours.js";
import { make, number } from "./words.js";

const MOST_TILES = 12;

export class Boards {
  /** point(cell or null), choose(cell): [row, column] of the position, on whichever board. */
  constructor({ point, choose }) {
    this.large = new Board("Map of one position", { point, choose });
    this.tiles = new Board("A small map of each position", { point: (tile) => point(tile && this.#position(tile)), choose: (tile) => choose(this.#position(tile)) });
    [this.bar, this.top, this.bottom] = [make("span.pl-bar"), make("span"), make("span")];
    this.scale = make(".pl-scale", { "aria-hidden": "true" }, this.top, this.bar, this.bottom);
    this.element = make(".pl-boards", {}, this.large.element, this.scale, this.tiles.element);
    this.every = 1;
  }

  /** tab: the positions tab, with `values` and `scale` of the large map. */
  draw(tab) {
    this.grid = tab.part.grid;
    this.#drawLarge(tab);
    this.#drawTiles(tab);
    const { low, high, colours } = tab.scale;
    this.bar.style.background = gradient(colours, "to top");
    this.scale.style.height = this.large.canvas.style.height;
    this.scale.style.visibility = tab.view.figure === "components" ? "hidden" : "";
    [this.top.textContent, this.bottom.textContent] = [high, low].map((end) => number(end, 3));
  }

  #drawLarge({ part, view, values, scale, place, pointed }) {
    if (!this.large.fit(part.grid[1] / part.grid[0])) return;
    const image = values ? painted(values, part.grid, scale) : coloured(part.componentsValues, part.grid);
    this.large.drawOne(image, view.figure === "spectrum" ? [] : boxes(place, pointed));
  }

  /** One tile for each position, or for one in every few. */
  #drawTiles(tab) {
    const { part, view, facts, place, pointed } = tab;
    this.every = Math.ceil(Math.max(...part.grid) / MOST_TILES);
    const [rows, columns] = part.grid.map((side) => Math.ceil(side / this.every));
    if (!this.tiles.fit(columns / rows)) return;
    const key = [facts.checkpoint, facts.title, part.index, part.rival, view.measure, view.component, view.colours, columns, this.tiles.canvas.width].join(" ");
    if (key !== this.drawn) {
      this.drawn = key;
      const scale = { ...tab.pairs(), colours: view.colours };
      this.tiles.keepTiles([rows, columns], (row, column) => painted(part.map(this.#position([row, column]), view.measure, view.component), part.grid, scale));
    }
    this.tiles.drawTiles(boxes(this.#tile(place), pointed && this.#tile(pointed)));
  }

  #position(tile) {
    return tile.map((at, axis) => Math.min(this.grid[axis] - 1, at * this.every));
  }

  #tile(position) {
    return position.map((at) => Math.floor(at / this.every));
  }
}

const boxes = (place, pointed) => [{ cell: place, colour: "accent" }, ...(pointed ? [{ cell: pointed, colour: "pointer" }] : [])];
