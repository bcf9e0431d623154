// A grid of numbers on a canvas, without a photograph: one large map, or many small ones in rows and columns.

import { pixels, themed } from "./colours.js";
import { make } from "./words.js";

const small = document.createElement("canvas");

/** Numbers from `low` to `high` as pixels of one cell each. */
export function painted(values, grid, { low, high, colours }) {
  return pixels(Float32Array.from(values, (value) => value - low), grid, high - low, colours);
}

/** Bytes (rows, columns, 3) as pixels of one cell each. */
export function coloured(bytes, grid) {
  const image = new ImageData(grid[1], grid[0]);
  for (let cell = 0; cell < grid[0] * grid[1]; cell++) {
    image.data.set(bytes.subarray(3 * cell, 3 * cell + 3), 4 * cell);
    image.data[4 * cell + 3] = 255;
  }
  return image;
}

export class Board {
  /** label: English text for those who do not see it. point([row, column] or null, event) and choose([row, column]). */
  constructor(label, { point = () => {}, choose = () => {} } = {}) {
    this.canvas = make("canvas.pl-board", { tabindex: 0, role: "img", label });
    this.element = make(".pl-board-room", {}, this.canvas);
    this.cells = [1, 1];
    this.canvas.addEventListener("pointermove", (event) => point(this.cell(event)));
    this.canvas.addEventListener("pointerleave", () => point(null));
    this.canvas.addEventListener("click", (event) => this.cell(event) && choose(this.cell(event)));
  }

  /** The largest board of this aspect (width over height) that the room allows. */
  fit(aspect) {
    const width = Math.floor(Math.min(this.element.clientWidth, this.element.clientHeight * aspect));
    if (!(width > 0)) return false;
    const density = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * density), Math.round((width / aspect) * density)];
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${Math.round(width / aspect)}px` });
    if (this.canvas.width !== wide || this.canvas.height !== high) [this.canvas.width, this.canvas.height] = [wide, high];
    return true;
  }

  /** image: ImageData of one pixel a cell. boxes: [{cell: [row, column], colour: name of the theme's}]. */
  drawOne(image, boxes = []) {
    this.cells = [image.height, image.width];
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    paste(context, image, 0, 0, this.canvas.width, this.canvas.height);
    const [high, wide] = [this.canvas.height / image.height, this.canvas.width / image.width];
    for (const { cell, colour, size = [1, 1] } of boxes)
      outlined(context, [cell[1] * wide, cell[0] * high, size[1] * wide, size[0] * high], themed(colour));
  }

  /** Keep a picture of many tiles, rows × columns of them, for `drawTiles`. images(row, column) → ImageData. */
  keepTiles(grid, images) {
    this.cells = grid;
    this.kept ??= document.createElement("canvas");
    [this.kept.width, this.kept.height] = [this.canvas.width, this.canvas.height];
    const context = this.kept.getContext("2d");
    for (let row = 0; row < grid[0]; row++)
      for (let column = 0; column < grid[1]; column++) paste(context, images(row, column), ...this.#tile(row, column));
  }

  drawTiles(boxes = []) {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.kept?.width) context.drawImage(this.kept, 0, 0, this.canvas.width, this.canvas.height);
    for (const { cell, colour } of boxes) outlined(context, this.#tile(...cell), themed(colour));
  }

  /** [row, column] under a pointer event, or null outside. */
  cell(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.cells[0]);
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.cells[1]);
    return row >= 0 && column >= 0 && row < this.cells[0] && column < this.cells[1] ? [row, column] : null;
  }

  #tile(row, column) {
    const [high, wide] = [this.canvas.height / this.cells[0], this.canvas.width / this.cells[1]];
    const gap = Math.max(1, Math.round(Math.min(high, wide) * 0.06));
    const [left, top] = [Math.round(column * wide), Math.round(row * high)];
    return [left, top, Math.round((column + 1) * wide) - left - gap, Math.round((row + 1) * high) - top - gap];
  }
}

function paste(context, image, left, top, width, height) {
  [small.width, small.height] = [image.width, image.height];
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = image.width > width;
  context.drawImage(small, left, top, width, height);
}

function outlined(context, box, colour) {
  const density = window.devicePixelRatio || 1;
  for (const [style, line] of [["rgba(0, 0, 0, 0.6)", 4 * density], [colour, 2 * density]]) {
    [context.strokeStyle, context.lineWidth] = [style, line];
    context.strokeRect(...box);
  }
}

/** Small map on a canvas of one pixel a cell; CSS makes it larger. */
export function stamp(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export { exportFigure as exportBoard } from "./export.js";
