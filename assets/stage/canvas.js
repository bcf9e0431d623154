// The picture with what the network makes of it: three canvases on one another, so that scrubbing redraws only the map.

import { pixels, themed } from "./colours.js";
import { make } from "./words.js";

const HATCH_STEP = 9;

export class Stage {
  /** label: English text for those who do not see the picture. */
  constructor(label) {
    this.picture = make("canvas");
    this.map = make("canvas");
    this.marks = make("canvas");
    this.element = make(".pl-canvas", { tabindex: 0, role: "img", label }, this.picture, this.map, this.marks);
    this.small = document.createElement("canvas");
    this.aspect = 4 / 3;
    this.image = null;
  }

  /** image: HTMLImageElement, drawn to fill `aspect` (width over height). */
  setPicture(image, aspect) {
    this.image = image;
    this.aspect = aspect;
    this.fit();
  }

  /** The largest picture that the room around it allows; redraws the photograph only. */
  fit() {
    const room = this.element.parentElement;
    if (!room?.clientWidth) return false;
    const width = Math.floor(Math.min(room.clientWidth, room.clientHeight * this.aspect));
    const height = Math.round(width / this.aspect);
    const density = window.devicePixelRatio || 1;
    Object.assign(this.element.style, { width: `${width}px`, height: `${height}px` });
    for (const canvas of [this.picture, this.map, this.marks])
      [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
    this.density = density;
    this.marked = null;
    if (this.image) this.picture.getContext("2d").drawImage(this.image, 0, 0, this.picture.width, this.picture.height);
    return true;
  }

  /** values: (patches), or null for none. mask: (patches) 1 where the map shows. */
  drawMap(values, grid, { scale, table, opacity, smooth, mask }) {
    const context = this.map.getContext("2d");
    context.clearRect(0, 0, this.map.width, this.map.height);
    if (!values) return;
    [this.small.width, this.small.height] = [grid[1], grid[0]];
    this.small.getContext("2d").putImageData(pixels(values, grid, scale, table, opacity, mask), 0, 0);
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = "low"; // bilinear; anything finer costs more than a frame at full size
    context.drawImage(this.small, 0, 0, this.map.width, this.map.height);
  }

  /**
   * Everything that is a line: contour of a mask, the window with its outside hatched, the query, the pointer.
   * mask, window: (patches) of 0 and 1, or null. query, pointer: [row, column], or null.
   */
  drawMarks(grid, { mask, window: inside, query, pointer }) {
    const places = [grid, query, pointer, this.marks.width, document.body.className].join(" ");
    if (this.marked && this.marked[0] === mask && this.marked[1] === places && !inside === !this.marked[2] && String(inside) === String(this.marked[2])) return;
    this.marked = [mask, places, inside];
    const context = this.marks.getContext("2d");
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    if (inside) this.#hatch(context, grid, inside);
    if (inside) this.#outline(context, grid, inside, themed("pointer"), 1.5);
    if (mask) this.#outline(context, grid, mask, "rgba(0, 0, 0, 0.55)", 2.6);
    if (mask) this.#outline(context, grid, mask, "#ffffff", 1.1);
    if (query) this.#box(context, grid, query, themed("accent"), 2.4);
    if (pointer) this.#box(context, grid, pointer, themed("pointer"), 1.8);
  }

  /** [row, column] of the patch under a pointer event, or null outside. */
  cell(event, grid) {
    const box = this.marks.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * grid[0]);
    const column = Math.floor(((event.clientX - box.left) / box.width) * grid[1]);
    return row >= 0 && column >= 0 && row < grid[0] && column < grid[1] ? [row, column] : null;
  }

  /** All three on one canvas, to be exported. */
  sheet() {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [this.picture.width, this.picture.height];
    for (const canvas of [this.picture, this.map, this.marks]) sheet.getContext("2d").drawImage(canvas, 0, 0);
    return sheet;
  }

  #step(grid) {
    return [this.marks.height / grid[0], this.marks.width / grid[1]];
  }

  #box(context, grid, [row, column], colour, width) {
    const [high, wide] = this.#step(grid);
    const edge = width * this.density;
    for (const [style, line] of [["rgba(0, 0, 0, 0.6)", edge + 2 * this.density], [colour, edge]]) {
      [context.strokeStyle, context.lineWidth] = [style, line];
      context.strokeRect(column * wide, row * high, wide, high);
    }
  }

  #outline(context, grid, mask, colour, width) {
    const [high, wide] = this.#step(grid);
    const [rows, columns] = grid;
    const at = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && mask[row * columns + column];
    context.beginPath();
    for (let row = 0; row <= rows; row++)
      for (let column = 0; column <= columns; column++) {
        const here = at(row, column) ? 1 : 0;
        if (here !== (at(row - 1, column) ? 1 : 0)) line(context, column * wide, row * high, wide, 0);
        if (here !== (at(row, column - 1) ? 1 : 0)) line(context, column * wide, row * high, 0, high);
      }
    [context.strokeStyle, context.lineWidth, context.lineCap] = [colour, width * this.density, "square"];
    context.stroke();
  }

  #hatch(context, grid, inside) {
    const [high, wide] = this.#step(grid);
    const { width, height } = this.marks;
    context.save();
    context.beginPath();
    for (let patch = 0; patch < inside.length; patch++)
      if (!inside[patch]) context.rect((patch % grid[1]) * wide, Math.floor(patch / grid[1]) * high, wide + 0.5, high + 0.5);
    context.clip();
    context.fillStyle = themed("veil");
    context.globalAlpha = 0.55;
    context.fillRect(0, 0, width, height);
    context.globalAlpha = 1;
    context.beginPath();
    for (let start = -height; start < width; start += HATCH_STEP * this.density) line(context, start, height, height, -height);
    [context.strokeStyle, context.lineWidth] = [themed("hatch"), this.density];
    context.stroke();
    context.restore();
  }
}

function line(context, x, y, along, down) {
  context.moveTo(x, y);
  context.lineTo(x + along, y + down);
}

const SMALL = 360;
const patches = document.createElement("canvas");

/** A small picture with a map over it. picture: a canvas of the photograph. */
export function overPicture(canvas, { values, grid, scale, table, picture }) {
  [canvas.width, canvas.height] = [SMALL, Math.round((SMALL * picture.height) / picture.width)];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  [patches.width, patches.height] = [grid[1], grid[0]];
  patches.getContext("2d").putImageData(pixels(values, grid, scale, table, 0.89), 0, 0);
  context.drawImage(patches, 0, 0, canvas.width, canvas.height);
}
