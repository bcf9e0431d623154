// One panel: a picture of the network's own size, drawn as large as its room, with squares hidden, coloured and marked.

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

export class Panel {
  /** name: English heading. label: English text for those who do not see the panel. */
  constructor(name, label, options = {}) {
    this.canvas = make("canvas.pl-mask-canvas", { tabindex: 0, role: "img", label, ...options });
    this.heading = make("figcaption", { say: name });
    this.room = make(".pl-mask-room", {}, this.canvas);
    this.element = make("figure.pl-mask-panel", {}, this.heading, this.room);
  }

  /** The largest canvas of this aspect that the room allows. */
  fit(aspect) {
    const width = Math.floor(Math.min(this.room.clientWidth, this.room.clientHeight * aspect));
    if (!(width > 0)) return;
    this.density = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * this.density), Math.round((width / aspect) * this.density)];
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${Math.round(width / aspect)}px` });
    if (this.canvas.width !== wide || this.canvas.height !== high) [this.canvas.width, this.canvas.height] = [wide, high];
    this.context = this.canvas.getContext("2d");
  }

  /** The whole picture, or its part left of `share`. */
  picture(source, share = 1) {
    if (!this.context || !source) return;
    const { width, height } = this.canvas;
    this.context.imageSmoothingEnabled = true;
    this.context.imageSmoothingQuality = "high";
    this.context.save();
    this.context.beginPath();
    this.context.rect(0, 0, width * share, height);
    this.context.clip();
    this.context.drawImage(source, 0, 0, width, height);
    this.context.restore();
  }

  /** `source` in hidden squares only: what is seen around them stays the picture's own, to the last pixel. */
  paste(source, mask, grid) {
    if (!this.context) return;
    this.context.save();
    this.context.beginPath();
    for (let patch = 0; patch < mask.length; patch++) if (mask[patch]) this.context.rect(...this.box(patch, grid));
    this.context.clip();
    this.picture(source);
    this.context.restore();
  }

  clear() {
    this.context?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** Hidden squares, in grey with a thin diagonal, so that no colour of a picture is taken for them. */
  hide(mask, grid) {
    const { context } = this;
    if (!context) return;
    const [high, wide] = this.step(grid);
    context.fillStyle = themed("raised");
    context.beginPath();
    for (let patch = 0; patch < mask.length; patch++) if (mask[patch]) context.rect(...this.box(patch, grid));
    context.fill();
    context.save();
    context.clip();
    context.beginPath();
    const step = Math.max(6, Math.min(high, wide) / 2);
    for (let start = -this.canvas.height; start < this.canvas.width; start += step) {
      context.moveTo(start, this.canvas.height);
      context.lineTo(start + this.canvas.height, 0);
    }
    [context.strokeStyle, context.lineWidth] = [themed("track"), this.density];
    context.stroke();
    context.restore();
  }

  /** A map of numbers over the whole panel; squares where `mask` is 0 are left out. */
  map(values, grid, { scale, table, mask = null }) {
    const small = document.createElement("canvas");
    [small.width, small.height] = [grid[1], grid[0]];
    small.getContext("2d").putImageData(pixels(values, grid, scale, table, null, mask), 0, 0);
    if (!this.context) return;
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
  }

  lines(grid) {
    const { context } = this;
    if (!context) return;
    const [high, wide] = this.step(grid);
    context.beginPath();
    for (let row = 1; row < grid[0]; row++) context.rect(0, row * high, this.canvas.width, 0);
    for (let column = 1; column < grid[1]; column++) context.rect(column * wide, 0, 0, this.canvas.height);
    [context.strokeStyle, context.lineWidth] = ["rgba(128, 128, 128, 0.35)", 1];
    context.stroke();
  }

  mark(patch, grid, colour) {
    const { context } = this;
    if (patch === null || !context) return;
    for (const [style, line] of [["rgba(0, 0, 0, 0.6)", 4 * this.density], [themed(colour), 2 * this.density]]) {
      [context.strokeStyle, context.lineWidth] = [style, line];
      context.strokeRect(...this.box(patch, grid));
    }
  }

  /** A line from top to bottom at `share` of the width. */
  divide(share) {
    if (!this.context) return;
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

  step(grid) {
    return [this.canvas.height / grid[0], this.canvas.width / grid[1]];
  }

  box(patch, grid) {
    const [high, wide] = this.step(grid);
    const [row, column] = [Math.floor(patch / grid[1]), patch % grid[1]];
    const [left, top] = [Math.round(column * wide), Math.round(row * high)];
    return [left, top, Math.round((column + 1) * wide) - left, Math.round((row + 1) * high) - top];
  }
}
