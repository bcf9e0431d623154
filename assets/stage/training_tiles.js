// What a frame looks like: small canvases painted from its numbers. Every painter draws into the tile that it is given.

import { coloured, painted } from "./board.js";
import { pixels } from "./colours.js";

const LEAST = 3; // times the share of a patch if all had the same: attention that is spread evenly stays dark
const GREY = 0.22;
const MAGNITUDES = "magma";
export const RELATIONS = "viridis";

const spare = document.createElement("canvas");

/** Onto a canvas of one image pixel a pixel; CSS enlarges it. */
export function paint(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// -- what a frame of each kind is made of --------------------------------------------------------------------------------

/** For each picture the images that stand below one another; null of a kind that is one matrix. */
export function columns(kind, frame, views) {
  const stack = views.arrays.pictures;
  const column = { attention: attendedAlone, reconstruction: rebuiltBetween, views: viewed }[kind];
  return column ? Array.from({ length: stack.shape[0] }, (_, index) => column(stack, frame, index)) : null;
}

const attendedAlone = (stack, frame, index) => [attended(stack, frame, index)];
const rebuiltBetween = (stack, frame, index) => [masked(stack, frame, index), rebuilt(stack, frame, index), picture(stack, index)];

/** A picture, and every view that the network is shown of it; what is hidden of one is grey. */
function viewed(stack, { arrays }, index) {
  const count = stack.shape[0];
  const mask = arrays["masks/mask"];
  const seen = (views, place) => (mask ? veiled(picture(views, place), maskOf(mask, place)) : picture(views, place));
  const turns = (views) => Array.from({ length: Math.floor(views.shape[0] / count) }, (_, turn) => seen(views, turn * count + index));
  return [picture(stack, index), ...Object.entries(arrays).filter(([name]) => name.startsWith("views/")).flatMap(([, views]) => turns(views))];
}

/** Mask number `index` of (count, rows, columns) bytes. */
function maskOf(masks, index) {
  const [, rows, columns] = masks.shape;
  return Object.assign(masks.subarray(index * rows * columns, (index + 1) * rows * columns), { shape: [rows, columns] });
}

/** The one matrix that a frame is. */
export const whole = (kind, { arrays, facts }) => matrix(kind === "positions" ? mosaic(arrays.map, facts.grid) : arrays.map, ends(kind, arrays));

/** From which value to which a matrix is coloured: shares from 0, how alike answers are (none belong together) from 0
 * to 1, or what is all but equal would look far apart; anything else from its least to its greatest. */
export function ends(kind, { map, same }) {
  if (kind === "similarity" && !same) return [0, 1];
  let [low, high] = [Infinity, -Infinity];
  for (const value of map) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [kind === "teacher" ? 0 : low, high];
}

/** A frame as one small image: the matrix, or what was made of one picture. */
export function stamp(kind, frame, views, index) {
  const make = { attention: attended, reconstruction: rebuilt }[kind];
  return make ? make(views.arrays.pictures, frame, index) : whole(kind, frame);
}

// -- painters ----------------------------------------------------------------------------------------------------------

/** Picture number `index` of (count, height, width, 3) bytes. */
function picture(stack, index) {
  const [, height, width] = stack.shape;
  return coloured(stack.subarray(index * height * width * 3, (index + 1) * height * width * 3), [height, width]);
}

/** One picture under its attention map, in the picture's own pixels. */
function attended(stack, frame, index) {
  const [, rows, columns] = frame.arrays.codes.shape;
  const codes = frame.arrays.codes.subarray(index * rows * columns, (index + 1) * rows * columns);
  const peak = frame.arrays.peaks[index];
  const shares = Float32Array.from(codes, (code) => peak * (code / 255) ** 2);
  const below = picture(stack, index);
  const over = pixels(shares, [rows, columns], Math.max(peak, LEAST / (rows * columns)), MAGNITUDES, 0.85);
  const sheet = new OffscreenCanvas(below.width, below.height);
  const context = sheet.getContext("2d");
  context.putImageData(below, 0, 0);
  [spare.width, spare.height] = [columns, rows];
  spare.getContext("2d").putImageData(over, 0, 0);
  context.drawImage(spare, 0, 0, below.width, below.height);
  return context.getImageData(0, 0, below.width, below.height);
}

/** What a masked autoencoder is shown. */
const masked = (stack, frame, index) => veiled(picture(stack, index), frame.arrays.mask);

/** Hidden patches grey. */
function veiled(image, mask) {
  each(image, mask, (hidden, at) => hidden && image.data.fill(Math.round(255 * GREY), at, at + 3));
  return image;
}

/** Hidden patches as the network rebuilt them, visible ones as they are. */
function rebuilt(stack, { arrays: { made, mask } }, index) {
  const below = picture(stack, index);
  const over = picture(made, index);
  each(below, mask, (hidden, at) => hidden && below.data.set(over.data.subarray(at, at + 3), at));
  return below;
}

function each(image, mask, visit) {
  const [rows, columns] = mask.shape;
  for (let row = 0; row < image.height; row++)
    for (let column = 0; column < image.width; column++) {
      const patch = Math.floor((row * rows) / image.height) * columns + Math.floor((column * columns) / image.width);
      visit(mask[patch], 4 * (row * image.width + column));
    }
}

function matrix(values, [low, high]) {
  return painted(values, values.shape, { low, high: high > low ? high : low + 1, colours: RELATIONS });
}

/** Every position's map against all others, each in its own place: rows × rows of small maps. */
function mosaic(values, grid) {
  const [rows, columns] = grid;
  const whole = new Float32Array(values.length);
  whole.shape = [rows * rows, columns * columns];
  for (let one = 0; one < rows * columns; one++)
    for (let other = 0; other < rows * columns; other++) {
      const row = Math.floor(one / columns) * rows + Math.floor(other / columns);
      const column = (one % columns) * columns + (other % columns);
      whole[row * columns * columns + column] = values[one * rows * columns + other];
    }
  return whole;
}
