// Two pictures beside one another, before and after, on one scale: as the page shows them, and on one sheet.

import { coloured, stamp } from "./board.js";
import { Stage } from "./canvas.js";
import { gradient } from "./colours.js";
import { make, number, say } from "./words.js";

const NAMES = ["Before", "After"];
const [GAP, NAME] = [20, 34]; // of the sheet, in pixels

export class Pair {
  /** click(side, cell), point(side, cell or null): side is 0 before and 1 after, cell [row, column] of that side's grid. */
  constructor({ click, point }) {
    this.grids = null;
    this.stages = NAMES.map((name) => new Stage(name));
    this.stages.forEach((stage, side) => {
      const cell = (event) => this.grids && stage.cell(event, this.grids[side]);
      stage.element.append(make("span.pl-side-name", { say: NAMES[side] }));
      stage.element.addEventListener("click", (event) => cell(event) && click(side, cell(event)));
      stage.element.addEventListener("pointermove", (event) => point(side, cell(event)));
      stage.element.addEventListener("pointerleave", () => point(side, null));
    });
    [this.bar, this.top] = [make("span.pl-bar"), make("span")];
    this.scale = make(".pl-scale", { "aria-hidden": "true" }, this.top, this.bar, make("span", {}, "0"));
    const rooms = this.stages.map((stage) => make(".pl-board-room.pl-half-room", {}, stage.element));
    this.element = make(".pl-pair", {}, ...rooms, this.scale);
  }

  /** The photograph on both sides, or each as it was fed where sizes differ. facts: of the picture on the desk. */
  setPictures({ facts: { shapes, grids }, arrays }, facts, photograph) {
    this.grids = grids;
    this.stages.forEach((stage, side) => {
      const [height, width] = shapes[side];
      const fed = arrays[`${NAMES[side].toLowerCase()}.rgb`];
      const key = fed ? `${facts.picture} ${height} ${width}` : facts.photograph;
      if (stage.key === key) return;
      stage.key = key;
      stage.setPicture(fed ? canvasOf(fed) : photograph, width / height);
    });
  }

  fit() {
    return this.stages.map((stage) => stage.fit()).some(Boolean);
  }

  /** maps: {values, grid} of each side. peak: value of the last colour. marks(side): {query, pointer} on that side's grid. */
  draw(maps, peak, marks) {
    this.stages.forEach((stage, side) => {
      stage.drawMap(maps[side].values, maps[side].grid, { scale: peak, table: "magma", opacity: 0.85, smooth: true, mask: null });
      stage.drawMarks(this.grids[side], marks(side));
    });
    this.bar.style.background = gradient("magma", "to top");
    this.scale.style.height = this.stages[0].element.style.height;
    this.top.textContent = number(peak, 2);
  }

  /** Both on one canvas, in the middle of the higher one's height, under their names. */
  sheet() {
    const sheet = document.createElement("canvas");
    const pictures = this.stages.map(({ picture }) => picture);
    const high = Math.max(...pictures.map(({ height }) => height));
    [sheet.width, sheet.height] = [pictures[0].width + GAP + pictures[1].width, NAME + high];
    const context = sheet.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    [context.font, context.fillStyle, context.textAlign] = ["600 20px system-ui, 'DejaVu Sans', sans-serif", "#14181f", "center"];
    this.stages.forEach(({ picture, map, marks }, side) => {
      const left = side * (pictures[0].width + GAP);
      context.fillText(say(NAMES[side]), left + picture.width / 2, 22);
      for (const canvas of [picture, map, marks]) context.drawImage(canvas, left, NAME + (high - picture.height) / 2);
    });
    return sheet;
  }
}

function canvasOf(rgb) {
  const canvas = document.createElement("canvas");
  stamp(canvas, coloured(rgb, rgb.shape));
  return canvas;
}
