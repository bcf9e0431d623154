// What the windows tab draws over the photograph: its roll, the windows' edges and the mask's, the token.

import { themed } from "./colours.js";
import { edges } from "./windows_geometry.js";

/** The photograph, rolled by `shift` (rows, columns) of `grid`. */
export function drawRolled({ picture }, image, grid, [down, right]) {
  const context = picture.getContext("2d");
  const [high, wide] = [picture.height / grid[0], picture.width / grid[1]];
  for (const top of [0, 1])
    for (const left of [0, 1]) context.drawImage(image, left * picture.width - right * wide, top * picture.height - down * high, picture.width, picture.height);
}

/** windows, regions: number of each shown token's own. The mask's edges are dashed where it parts tokens of one window. */
export function drawEdges(stage, grid, windows, regions) {
  const context = stage.marks.getContext("2d");
  edges(context, grid, windows, stage, "rgba(255, 255, 255, 0.85)", 1.4, []);
  edges(context, grid, regions, stage, themed("accent"), 1.6, [6, 5], windows);
}

/** The token over all other lines; from the second stage on with the 2 × 2 tokens that it was merged from. */
export function drawToken({ marks, density }, grid, [row, column], merged) {
  const [high, wide] = [marks.height / grid[0], marks.width / grid[1]];
  const context = marks.getContext("2d");
  const [left, top] = [column * wide, row * high];
  for (const [style, width] of [["rgba(0, 0, 0, 0.6)", 4.4], [themed("accent"), 2.4]]) {
    [context.strokeStyle, context.lineWidth] = [style, width * density];
    context.strokeRect(left, top, wide, high);
  }
  if (!merged) return;
  context.save();
  context.setLineDash([3 * density, 3 * density]);
  context.lineWidth = 1.4 * density;
  context.beginPath();
  context.moveTo(left + wide / 2, top);
  context.lineTo(left + wide / 2, top + high);
  context.moveTo(left, top + high / 2);
  context.lineTo(left + wide, top + high / 2);
  context.stroke();
  context.restore();
}
