// What the network makes of its pictures at one step, as large as the room: columns of tiles, or one matrix with its scale.

import { gradient, themed } from "./colours.js";
import { RELATIONS, columns, ends, paint, whole } from "./training_tiles.js";
import { make, number } from "./words.js";

const FEWEST = 4; // pictures that are shown at least
const GAIN = 1.12; // so much larger must tiles become for fewer pictures to be worth it
const GAP = 6;
const DEEP = 2; // between the tiles of one column
const SCALE = 80; // pixels beside a matrix for its scale
const SHARP = 2; // pixels of an export for each on the page

export class Hero {
  /** pick(index) when a picture is chosen; point({row, column, value}) over a matrix, or point(null) when it is left. */
  constructor({ pick, point }) {
    Object.assign(this, { pick, point });
    this.element = make(".pl-train-hero", { role: "group", label: "Pictures of the run" });
    this.resized = () => {};
    new ResizeObserver(() => this.resized()).observe(this.element);
  }

  /** index: of the picture that the strip shows. */
  draw(kind, frame, views, index) {
    const found = columns(kind, frame, views);
    if (found) this.#lay(found, index);
    else this.#large(kind, frame);
  }

  /** A sentence where there is nothing to draw. */
  refuse(sentence) {
    this.element.className = "pl-train-hero";
    this.element.replaceChildren(make("p.pl-train-refused", {}, sentence));
  }

  /** What is drawn, on one canvas, for export; null where there is nothing. */
  sheet() {
    const drawn = [...this.element.querySelectorAll("canvas")];
    if (!drawn.length) return null;
    const boxes = drawn.map((canvas) => canvas.getBoundingClientRect());
    const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
    const [right, bottom] = [Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [SHARP * (right - left), SHARP * (bottom - top)];
    const context = sheet.getContext("2d");
    context.imageSmoothingEnabled = false;
    drawn.forEach((canvas, place) => context.drawImage(canvas, ...[boxes[place].left - left, boxes[place].top - top, boxes[place].width, boxes[place].height].map((pixels) => SHARP * pixels)));
    return sheet;
  }

  /** Columns of tiles as large as the room allows; fewer pictures where that makes them much larger. */
  #lay(found, chosen) {
    const { size, count, across } = arranged(found.length, found[0].length, this.element.clientWidth, this.element.clientHeight);
    const tile = (image) => {
      const canvas = make("canvas.pl-train-tile", { "aria-hidden": "true" });
      paint(canvas, image);
      return canvas;
    };
    const group = (images, index) => make("button.pl-train-column", { type: "button", "aria-pressed": index === chosen, label: "Show this picture in the strip", onclick: () => this.pick(index) }, ...images.map(tile));
    this.element.style.setProperty("--tile", `${size}px`);
    this.element.style.setProperty("--across", across);
    this.element.className = "pl-train-hero pl-train-grid";
    this.element.replaceChildren(...found.slice(0, count).map(group));
  }

  /** One matrix with the pairs that belong together framed, and its scale beside it. */
  #large(kind, frame) {
    const image = whole(kind, frame);
    const canvas = make("canvas.pl-train-matrix", { "aria-hidden": "true" });
    this.#fit(canvas, image);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = image.width > canvas.width;
    context.drawImage(bitmap(image), 0, 0, canvas.width, canvas.height);
    if (frame.arrays.same) frameUp(context, frame.arrays.same, canvas);
    if (kind !== "positions") this.#listen(canvas, frame.arrays.map);
    const [low, high] = ends(kind, frame.arrays);
    const bar = make(".pl-bar", { style: `background: ${gradient(RELATIONS, "to top")}` });
    const scale = make(".pl-scale.pl-train-scale", {}, make("span", {}, number(high, 2)), bar, make("span", {}, number(low, 2)));
    this.element.className = "pl-train-hero pl-train-one";
    this.element.replaceChildren(canvas, scale);
  }

  /** As large as the room in the image's own proportions, in the screen's pixels. */
  #fit(canvas, image) {
    const density = window.devicePixelRatio || 1;
    const scale = Math.min(this.element.clientHeight / image.height, (this.element.clientWidth - SCALE) / image.width);
    const [width, height] = [scale * image.width, scale * image.height];
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
  }

  #listen(canvas, map) {
    const [rows, columns] = map.shape;
    canvas.onpointermove = ({ offsetX, offsetY }) => {
      const row = Math.min(rows - 1, Math.floor((rows * offsetY) / canvas.clientHeight));
      const column = Math.min(columns - 1, Math.floor((columns * offsetX) / canvas.clientWidth));
      this.point({ row, column, value: map[row * columns + column] });
    };
    canvas.onpointerleave = () => this.point(null);
  }
}

/** How many pictures, in how many columns, at which size: groups of `deep` tiles in a room. */
function arranged(most, deep, width, height) {
  let best = { size: 0, count: 0, across: 1 };
  for (let count = most; count >= Math.min(FEWEST, most); count--)
    for (let across = 1; across <= count; across++) {
      const rows = Math.ceil(count / across);
      const size = Math.floor(Math.min((width - GAP * (across - 1)) / across, (height - GAP * (rows - 1) - DEEP * rows * (deep - 1)) / (rows * deep)));
      if (size > best.size * (count < best.count ? GAIN : 1)) best = { size, count, across };
    }
  return { ...best, size: Math.max(16, best.size) };
}

/** A frame around every pair that belongs together. */
function frameUp(context, same, canvas) {
  const [rows, columns] = same.shape;
  const [wide, high] = [canvas.width / columns, canvas.height / rows];
  context.strokeStyle = themed("fault");
  context.lineWidth = Math.max(1.5, wide * 0.12);
  for (let cell = 0; cell < same.length; cell++) if (same[cell]) context.strokeRect((cell % columns) * wide, Math.floor(cell / columns) * high, wide, high);
}

function bitmap(image) {
  const sheet = new OffscreenCanvas(image.width, image.height);
  sheet.getContext("2d").putImageData(image, 0, 0);
  return sheet;
}
