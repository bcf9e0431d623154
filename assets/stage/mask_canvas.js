// One panel: a picture of the network's own size, drawn as large as its room, with squares hidden, coloured and marked.
// Lines and marks lie on a canvas of their own, so that a pointer that moves never draws the picture again.

import { pixels, themed } from "./colours.js";
import { make } from "./words.js";

/** Bytes (height, width, 3) as a canvas of that size. */
export function canvasOf(bytes) {
  const [height, width] = bytes.shape;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) image.data[4 * pixel + channel] = bytes[3 * pixel + channel];
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** What is drawn of a picture: on a panel, in the film strip, on a sheet that is saved. */
export class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** The whole picture, or its part left of `share`. */
  picture(source, share = 1) {
    const { context, canvas: { width, height } } = this;
    [context.imageSmoothingEnabled, context.imageSmoothingQuality] = [true, "high"];
    context.save();
    context.beginPath();
    context.rect(0, 0, width * share, height);
    context.clip();
    context.drawImage(source, 0, 0, width, height);
    context.restore();
  }

  /** `source` in hidden squares only: what is seen around them stays the picture's own, to the last pixel. */
  paste(source, mask, grid) {
    this.context.save();
    this.#squares(mask, grid, 1);
    this.context.clip();
    this.picture(source);
    this.context.restore();
  }

  /** A map of numbers over the whole panel; squares where `mask` is 0 are left out. */
  map(values, grid, { scale, table, mask = null }) {
    const small = document.createElement("canvas");
    [small.width, small.height] = [grid[1], grid[0]];
    small.getContext("2d").putImageData(pixels(values, grid, scale, table, null, mask), 0, 0);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
  }

  /** Squares whose value in `mask` is `value`, in grey with thin diagonals: no colour of a picture is taken for them. */
  hatch(mask, grid, value = 1) {
    const { context } = this;
    context.save();
    this.#squares(mask, grid, value);
    context.clip();
    context.fillStyle = themed("raised");
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.beginPath();
    const step = Math.max(6, Math.min(...this.step(grid)) / 2);
    for (let start = -this.canvas.height; start < this.canvas.width; start += step) {
      context.moveTo(start, this.canvas.height);
      context.lineTo(start + this.canvas.height, 0);
    }
    [context.strokeStyle, context.lineWidth] = [themed("track"), this.density ?? 1];
    context.stroke();
    context.restore();
  }

  step(grid) {
    return [this.canvas.height / grid[0], this.canvas.width / grid[1]];
  }

  /** [left, top, width, height] of a square, in whole pixels. */
  box(patch, grid) {
    const [high, wide] = this.step(grid);
    const [row, column] = [Math.floor(patch / grid[1]), patch % grid[1]];
    const [left, top] = [Math.round(column * wide), Math.round(row * high)];
    return [left, top, Math.round((column + 1) * wide) - left, Math.round((row + 1) * high) - top];
  }

  #squares(mask, grid, value) {
    this.context.beginPath();
    for (let patch = 0; patch < mask.length; patch++) if (Boolean(mask[patch]) === Boolean(value)) this.context.rect(...this.box(patch, grid));
  }
}

export class Panel extends Drawing {
  /** name: English heading. label: English text for those who do not see the panel. */
  constructor(name, label) {
    super(make("canvas.pl-mask-canvas", { tabindex: 0, role: "img", label }));
    this.over = new Drawing(make("canvas.pl-mask-over", { "aria-hidden": "true" }));
    this.marked = [];
    this.heading = make("figcaption", { say: name });
    this.room = make(".pl-mask-room", {}, make(".pl-mask-layers", {}, this.canvas, this.over.canvas));
    this.element = make("figure.pl-mask-panel", {}, this.heading, this.room);
  }

  /** The largest canvas of this aspect that the room allows; the heading stands over it. */
  fit(aspect) {
    const width = Math.floor(Math.min(this.room.clientWidth, this.room.clientHeight * aspect));
    if (!(width > 0)) return;
    this.density = window.devicePixelRatio || 1;
    this.heading.style.width = `${width}px`;
    const [wide, high] = [Math.round(width * this.density), Math.round((width / aspect) * this.density)];
    for (const { canvas } of [this, this.over]) {
      Object.assign(canvas.style, { width: `${width}px`, height: `${Math.round(width / aspect)}px` });
      if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height, this.lined] = [wide, high, null];
    }
  }

  /** Thin lines between squares, and marks: [patch or null, colour's name] each. Only what differs is drawn again. */
  mark(marks, grid, lines = false) {
    const asked = marks.filter(([patch]) => patch !== null && patch !== undefined);
    const key = `${grid} ${lines} ${themed("accent")}`;
    if (this.lined !== key) {
      this.over.clear();
      if (lines) this.#lines(grid);
    } else {
      if (String(asked) === String(this.marked)) return;
      for (const [patch] of this.marked) this.#unmark(patch, grid, lines);
    }
    for (const [patch, colour] of asked) this.#mark(patch, grid, colour);
    [this.lined, this.marked] = [key, asked];
  }

  /** A line from top to bottom at `share` of the width. */
  divide(share) {
    this.context.fillStyle = themed("accent");
    this.context.fillRect(this.canvas.width * share - this.density, 0, 2 * this.density, this.canvas.height);
  }

  /** The patch under a pointer event, or null outside. */
  patch(event, grid) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * grid[0]);
    const column = Math.floor(((event.clientX - box.left) / box.width) * grid[1]);
    return row >= 0 && column >= 0 && row < grid[0] && column < grid[1] ? row * grid[1] + column : null;
  }

  #lines(grid) {
    const { context, canvas } = this.over;
    const [high, wide] = this.step(grid);
    context.beginPath();
    for (let row = 1; row < grid[0]; row++) context.rect(0, Math.round(row * high), canvas.width, 0);
    for (let column = 1; column < grid[1]; column++) context.rect(Math.round(column * wide), 0, 0, canvas.height);
    [context.strokeStyle, context.lineWidth] = ["rgba(128, 128, 128, 0.35)", 1];
    context.stroke();
  }

  #mark(patch, grid, colour) {
    const { context } = this.over;
    for (const [style, line] of [["rgba(0, 0, 0, 0.6)", 4 * this.density], [themed(colour), 2 * this.density]]) {
      [context.strokeStyle, context.lineWidth] = [style, line];
      context.strokeRect(...this.box(patch, grid));
    }
  }

  #unmark(patch, grid, lines) {
    const { context } = this.over;
    const edge = 3 * this.density;
    const [left, top, width, height] = this.box(patch, grid);
    context.save();
    context.beginPath();
    context.rect(left - edge, top - edge, width + 2 * edge, height + 2 * edge);
    context.clip();
    this.over.clear();
    if (lines) this.#lines(grid);
    context.restore();
  }
}
