// One row of attention, token by token: decoded, fused over heads, cut into patches and prefix, measured. No state here.

const SQUARES = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2);

/** One value of a map whose largest is `peak`. */
export const decoded = (code, peak) => peak * SQUARES[code];

/** Bytes `start` to `start + count` of a map whose largest value is `peak`, as explorers/maps.py packs them. */
export function decode(codes, start, count, peak) {
  const row = new Float32Array(count);
  for (let place = 0; place < count; place++) row[place] = decoded(codes[start + place], peak);
  return row;
}

/** Heads made one: their mean, maximum or minimum, token by token. */
export function fuse(heads, fusion) {
  const fused = Float32Array.from(heads[0]);
  for (const row of heads.slice(1))
    for (let token = 0; token < row.length; token++) {
      if (fusion === "mean") fused[token] += row[token];
      else fused[token] = fusion === "max" ? Math.max(fused[token], row[token]) : Math.min(fused[token], row[token]);
    }
  if (fusion === "mean") for (let token = 0; token < fused.length; token++) fused[token] /= heads.length;
  return fused;
}

/** A row of tokens as a map of patches. */
export function split(row, prefix) {
  const values = row.subarray(prefix);
  let peak = 0;
  let mass = 0;
  for (const value of values) {
    mass += value;
    if (value > peak) peak = value;
  }
  return { values, prefix: row.subarray(0, prefix), peak, mass };
}

/** The smallest set of patches that holds `share` of the mass over patches (DINO, arXiv 2104.14294): (patches) of 0, 1. */
export function massMask(values, share) {
  const before = masks.get(values);
  if (before?.share === share) return before.mask;
  const mask = heaviest(values, share);
  masks.set(values, { share, mask });
  return mask;
}

const masks = new WeakMap();

function heaviest(values, share) {
  const order = Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
  const total = values.reduce((sum, value) => sum + value, 0);
  const mask = new Uint8Array(values.length);
  let held = 0;
  for (const patch of order) {
    if (held >= share * total || values[patch] <= 0) break;
    mask[patch] = 1;
    held += values[patch];
  }
  return mask;
}

/** Mean distance in pixels from a patch to where its row looks, weights over patches made to sum to 1. */
export function meanDistance(values, grid, cell, patch) {
  let far = 0;
  let mass = 0;
  for (let row = 0; row < grid[0]; row++)
    for (let column = 0; column < grid[1]; column++) {
      const weight = values[row * grid[1] + column];
      far += weight * Math.hypot(row - cell[0], column - cell[1]);
      mass += weight;
    }
  return mass > 0 ? (patch * far) / mass : 0;
}

/** The value that a share of the patches above 0 stays below: what a window hides is no part of it. 0 where nothing is. */
export function quantile(values, share) {
  const rising = values.filter((value) => value > 0).sort();
  return rising[Math.floor(share * rising.length)] ?? 0;
}
