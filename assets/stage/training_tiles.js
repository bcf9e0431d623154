// What a frame looks like: small canvases painted from its numbers. Every painter draws into the tile that it is given.

import { coloured, painted } from "./board.js";
import { pixels } from "./colours.js";

const PEAK = 1; // attention's own maximum takes the last colour: maps of different steps show where, not how much
const GREY = 0.22;

const spare = document.createElement("canvas");

/** Onto a canvas of one image pixel a pixel; CSS enlarges it. */
export function paint(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Picture number `index` of (count, height, width, 3) bytes. */
export function picture(stack, index) {
  const [, height, width] = stack.shape;
  return coloured(stack.subarray(index * height * width * 3, (index + 1) * height * width * 3), [height, width]);
}

/** One picture under its attention map, in the picture's own pixels. */
export function attended(stack, frame, index, table) {
  const [, rows, columns] = frame.arrays.codes.shape;
  const codes = frame.arrays.codes.subarray(index * rows * columns, (index + 1) * rows * columns);
  const shares = Float32Array.from(codes, (code) => (code / 255) ** 2);
  const below = picture(stack, index);
  const over = pixels(shares, [rows, columns], PEAK, table, 0.85);
  const sheet = new OffscreenCanvas(below.width, below.height);
  const context = sheet.getContext("2d");
  context.putImageData(below, 0, 0);
  [spare.width, spare.height] = [columns, rows];
  spare.getContext("2d").putImageData(over, 0, 0);
  context.drawImage(spare, 0, 0, below.width, below.height);
  return context.getImageData(0, 0, below.width, below.height);
}

/** What a masked autoencoder is shown: hidden patches grey. */
export function masked(stack, frame, index) {
  const below = picture(stack, index);
  each(below, frame, (hidden, at) => hidden && below.data.fill(Math.round(255 * GREY), at, at + 3));
  return below;
}

/** Hidden patches as the network rebuilt them, visible ones as they are. */
export function rebuilt(stack, frame, index) {
  const below = picture(stack, index);
  const made = picture(frame.arrays.made, index);
  each(below, frame, (hidden, at) => hidden && below.data.set(made.data.subarray(at, at + 3), at));
  return below;
}

function each(image, { arrays: { mask } }, visit) {
  const [rows, columns] = mask.shape;
  for (let row = 0; row < image.height; row++)
    for (let column = 0; column < image.width; column++) {
      const patch = Math.floor((row * rows) / image.height) * columns + Math.floor((column * columns) / image.width);
      visit(mask[patch], 4 * (row * image.width + column));
    }
}

/** A matrix (rows, columns) from its least to its greatest value. */
export function matrix(values, table) {
  const [low, high] = ends(values);
  return painted(values, values.shape, { low, high: high > low ? high : low + 1, colours: table });
}

export function ends(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Every position's map against all others, each in its own place: rows × rows of small maps. */
export function mosaic(values, grid, table) {
  const [rows, columns] = grid;
  const whole = new Float32Array(values.length);
  whole.shape = [rows * rows, columns * columns];
  for (let one = 0; one < rows * columns; one++)
    for (let other = 0; other < rows * columns; other++) {
      const row = Math.floor(one / columns) * rows + Math.floor(other / columns);
      const column = (one % columns) * columns + (other % columns);
      whole[row * columns * columns + column] = values[one * rows * columns + other];
    }
  return matrix(whole, table);
}
