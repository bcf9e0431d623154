// Masks by kind and seed, number for number as in models/masking.py, so that sliders and painting ask nothing.

/** Patches that a ratio hides: the nearest number, but at least one and not all. */
export const hiddenCount = (ratio, patches) => Math.min(patches - 1, Math.max(1, Math.floor(patches * ratio + 0.5)));

/** (patches) of 0 and 1, exactly `hidden` of them 1. */
export function maskOf(kind, grid, hidden, seed) {
  const mask = new Uint8Array(grid[0] * grid[1]);
  for (const patch of order(kind, grid, seed).slice(0, hidden)) mask[patch] = 1;
  return mask;
}

/** Every patch once, in the order in which they are hidden. */
export function order(kind, grid, seed) {
  if (kind === "block") return blocks(grid, draws(seed));
  return kind === "grid" ? even(grid) : shuffled(grid[0] * grid[1], draws(seed));
}

/** "0110/0011" of a mask, and back; null where the text is no mask of this grid. */
export const written = (mask, grid) =>
  Array.from({ length: grid[0] }, (_, row) => mask.subarray(row * grid[1], (row + 1) * grid[1]).join("")).join("/");

export function read(text, grid) {
  const rows = text.split(/[/\s]+/).filter(Boolean);
  if (rows.length !== grid[0] || rows.some((row) => row.length !== grid[1] || /[^01]/.test(row))) return null;
  return Uint8Array.from(rows.join(""), Number);
}

/** Marsaglia 2003, xorshift 13, 17, 5. */
function draws(seed) {
  let state = (Math.imul(seed, 0x9e3779b1) + 0x9e3779b9) >>> 0 || 1;
  const next = () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
  for (let turn = 0; turn < 16; turn++) next();
  return next;
}

function shuffled(count, next) {
  const places = Array.from({ length: count }, (_, place) => place);
  for (let last = count - 1; last > 0; last--) {
    const other = next() % (last + 1);
    [places[last], places[other]] = [places[other], places[last]];
  }
  return places;
}

function blocks([rows, columns], next) {
  const found = new Set();
  while (found.size < rows * columns) {
    const height = Math.ceil(rows / 4) + (next() % (Math.floor(rows / 4) + 1));
    const width = Math.ceil(columns / 4) + (next() % (Math.floor(columns / 4) + 1));
    const top = (next() % (rows + height - 1)) - height + 1;
    const left = (next() % (columns + width - 1)) - width + 1;
    for (let row = Math.max(0, top); row < Math.min(rows, top + height); row++)
      for (let column = Math.max(0, left); column < Math.min(columns, left + width); column++) found.add(row * columns + column);
  }
  return [...found];
}

function even([rows, columns]) {
  const rank = (patch) => bayer(Math.floor(patch / columns), patch % columns);
  return Array.from({ length: rows * columns }, (_, patch) => patch).sort((one, other) => rank(other) - rank(one));
}

function bayer(row, column) {
  let rank = 0;
  for (let bit = 0; bit < 8; bit++) rank = (rank << 2) | ((((row ^ column) >> bit) & 1) << 1) | ((row >> bit) & 1);
  return rank;
}
