// Colour tables out of assets/palette.json, and a map of numbers as pixels.

let tables = {};

const FLOOR = 0.34; // share of the overlay's opacity where a map is zero: the picture dims, so that little stands out too

export const setTables = (anchors) => (tables = Object.fromEntries(Object.entries(anchors).map(([name, colours]) => [name, spread(colours)])));

/** 256 × 3 bytes of a table. */
export const table = (name) => tables[name];

/** A colour of the theme in force. */
export function themed(name) {
  const theme = document.body.className;
  if (kept.theme !== theme) kept = { theme };
  return (kept[name] ??= getComputedStyle(document.body).getPropertyValue(`--pl-${name}`).trim());
}

let kept = {};

/** CSS gradient of a table, for its scale. */
export function gradient(name, direction = "to right") {
  const stops = Array.from({ length: 9 }, (_, stop) => `rgb(${rgb(tables[name], stop / 8).join(" ")})`);
  return `linear-gradient(${direction}, ${stops.join(", ")})`;
}

const rgb = (bytes, share) => Array.from(bytes.subarray(3 * Math.round(255 * share), 3 * Math.round(255 * share) + 3));

function spread(colours) {
  const anchors = colours.map((colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16)));
  const bytes = new Uint8Array(256 * 3);
  for (let step = 0; step < 256; step++) {
    const at = (step / 255) * (anchors.length - 1);
    const low = Math.min(Math.floor(at), anchors.length - 2);
    for (let channel = 0; channel < 3; channel++)
      bytes[step * 3 + channel] = Math.round(anchors[low][channel] + (at - low) * (anchors[low + 1][channel] - anchors[low][channel]));
  }
  return bytes;
}

/**
 * A map as ImageData of one pixel a patch.
 * scale: value that takes the table's last colour. opacity: null for opaque; else faint values dim the picture a little,
 * and from 0.9 on the map covers it more and more, until at 1 nothing is left of it.
 */
export function pixels(values, grid, scale, name, opacity = null, mask = null) {
  const image = new ImageData(grid[1], grid[0]);
  const colours = tables[name];
  const cover = opacity === null ? 1 : Math.max(0, (opacity - 0.9) / 0.1);
  for (let patch = 0; patch < values.length; patch++) {
    const share = scale > 0 ? Math.max(0, Math.min(1, values[patch] / scale)) : 0;
    const colour = 3 * Math.round(255 * share);
    const veil = opacity === null ? 1 : opacity * (cover + (1 - cover) * FLOOR + (1 - FLOOR) * Math.min(1, 1.15 * share ** 0.75));
    image.data[patch * 4] = colours[colour];
    image.data[patch * 4 + 1] = colours[colour + 1];
    image.data[patch * 4 + 2] = colours[colour + 2];
    image.data[patch * 4 + 3] = mask && !mask[patch] ? 0 : Math.round(255 * veil);
  }
  return image;
}

/** An opaque map on a canvas of one pixel a patch; CSS makes it larger. */
export function thumbnail(canvas, values, grid, scale, name) {
  if (canvas.width !== grid[1] || canvas.height !== grid[0]) [canvas.width, canvas.height] = [grid[1], grid[0]];
  canvas.getContext("2d").putImageData(pixels(values, grid, scale, name), 0, 0);
}
