// Where windows' lines run, and what a token can have seen. Nothing here touches the page.

/**
 * Patches that can have reached a block's token: (patches of the first block) of 0 and 1.
 * windows: facts of each block. place: [row, column] on the grid of block `from`, asked of block `end`.
 */
export function reached(windows, arrays, end, place, from) {
  let grid = windows[end].grid;
  const [row, column] = place.map((at, axis) => Math.min(grid[axis] - 1, Math.floor(((at + 0.5) * grid[axis]) / windows[from].grid[axis])));
  let found = new Uint8Array(grid[0] * grid[1]);
  found[row * grid[1] + column] = 1;
  for (let block = end; block >= 0; block--) {
    const now = windows[block].grid;
    if (String(now) !== String(grid)) found = unmerged(found, grid, now);
    grid = now;
    const regions = arrays[`regions.${block}`];
    const open = new Set(regions.filter((_, token) => found[token]));
    found = Uint8Array.from(regions, (region) => Number(open.has(region)));
  }
  return found;
}

/** The finer grid that a merged one was made of. */
function unmerged(reached, grid, now) {
  const step = now.map((side, axis) => Math.ceil(side / grid[axis]));
  return Uint8Array.from({ length: now[0] * now[1] }, (_, token) => {
    const [row, column] = [Math.floor(Math.floor(token / now[1]) / step[0]), Math.floor((token % now[1]) / step[1])];
    return reached[row * grid[1] + column];
  });
}

/** Lines where neighbours differ in `values`; with `within`, only where they agree in that. */
export function edges(context, [rows, columns], values, stage, colour, width, dash, within = null) {
  const [high, wide] = [stage.marks.height / rows, stage.marks.width / columns];
  const apart = (a, b) => values[a] !== values[b] && (!within || within[a] === within[b]);
  context.beginPath();
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const here = row * columns + column;
      if (column + 1 < columns && apart(here, here + 1)) segment(context, (column + 1) * wide, row * high, 0, high);
      if (row + 1 < rows && apart(here, here + columns)) segment(context, column * wide, (row + 1) * high, wide, 0);
    }
  context.save();
  context.setLineDash(dash.map((length) => length * stage.density));
  [context.strokeStyle, context.lineWidth] = [colour, width * stage.density];
  context.stroke();
  context.restore();
}

function segment(context, x, y, along, down) {
  context.moveTo(x, y);
  context.lineTo(x + along, y + down);
}
