// Cells of a grid as addresses write them, as explorers/places.py does: "ROW,COLUMN", counted from 0.

/** [row, column] that `text` names, or null where it names none of this grid. */
export function cellOf(text, [rows, columns]) {
  const found = /^([0-9]{1,6}),([0-9]{1,6})$/.exec(text ?? "");
  const [row, column] = found ? [Number(found[1]), Number(found[2])] : [rows, columns];
  return row < rows && column < columns ? [row, column] : null;
}

export const middle = (grid) => grid.map((side) => Math.floor(side / 2));

/** One step of an arrow key, which stays on the grid. */
export const stepped = (cell, step, grid) => cell.map((at, axis) => Math.min(grid[axis] - 1, Math.max(0, at + step[axis])));

/** Whether a query is a token, "patch 12,7" or "prefix 0", which others can look at. */
export const isToken = (query) => /^(patch|prefix) /.test(query);

/** Whether such a query names a token of this layer. */
export function tokenThere(query, { grid, prefix }) {
  const [kind, place] = query.split(" ");
  return kind === "patch" ? cellOf(place, grid) !== null : /^[0-9]{1,6}$/.test(place) && Number(place) < prefix;
}

/** A place or a patch as readers count, from 1: "12,7" is "13,8", and what is none stays as it is. */
export const spoken = (text) => text.replace(/([0-9]+),([0-9]+)$/, (_, row, column) => `${Number(row) + 1},${Number(column) + 1}`);

/** The sentence for a place that is not there, for `replace` of absent.js. */
export const noPlace = (asked, [rows, columns], instead) => ({
  said: "The place {asked} was asked for, but rows go from 1 to {row} here and columns from 1 to {column}; {instead} is shown instead, click any other.",
  asked: spoken(asked),
  row: rows,
  column: columns,
  instead: spoken(String(instead)),
});
