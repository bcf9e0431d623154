// Canvases of the zero-shot tab: sized to their room, texts cut to a width, thumbnails out of bytes.

import { themed } from "./colours.js";
import { make } from "./words.js";

export class Sheet {
  /** kind: class of the element; label: English text for those who do not see it; draw(context, width, height). */
  constructor(kind, label, draw) {
    this.canvas = make("canvas", { role: "img", label });
    this.element = make(kind, {}, this.canvas);
    this.paint = draw;
    this.size = [0, 0]; // kept, because to ask for it after a change makes the browser lay the page out at once
    new ResizeObserver(() => {
      this.size = [this.element.clientWidth, this.element.clientHeight];
      this.draw();
    }).observe(this.element);
  }

  /** There is something to draw. */
  show() {
    this.ready = true;
    this.draw();
  }

  /** In CSS pixels, on paper of the theme. */
  draw() {
    const [width, height] = this.size;
    if (!(width > 20 && height > 20 && this.ready)) return false;
    const density = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * density), Math.round(height * density)];
    if (this.canvas.width !== wide || this.canvas.height !== high) [this.canvas.width, this.canvas.height] = [wide, high];
    const context = this.canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    this.paint(context, width, height);
    return true;
  }

  /** The same, opaque, for an export. */
  flat() {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [this.canvas.width, this.canvas.height];
    const context = sheet.getContext("2d");
    context.fillStyle = themed("ground");
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.drawImage(this.canvas, 0, 0);
    return sheet;
  }
}

export const font = (size, weight = 400) => `${weight} ${size}px system-ui, 'DejaVu Sans', sans-serif`;

/** The text in at most `most` lines of a width, the last one cut where there is more. */
export function lines(context, text, width, most) {
  const found = [""];
  for (const word of text.split(" ")) {
    const longer = found.at(-1) ? `${found.at(-1)} ${word}` : word;
    if (context.measureText(longer).width <= width || !found.at(-1)) found[found.length - 1] = longer;
    else found.push(word);
  }
  const kept = found.slice(0, most);
  if (found.length > most) kept[most - 1] += " …";
  return kept.map((line) => cut(context, line, width));
}

export function cut(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

/** Bytes (pictures, rows, columns, 3) as a canvas each. */
export function stamps(bytes) {
  const [pictures, rows, columns] = bytes.shape;
  return Array.from({ length: pictures }, (_, picture) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [columns, rows];
    const image = new ImageData(columns, rows);
    for (let at = 0, from = picture * rows * columns * 3; at < rows * columns; at++, from += 3)
      image.data.set([bytes[from], bytes[from + 1], bytes[from + 2], 255], 4 * at);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  });
}
