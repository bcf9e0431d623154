// Large counts and bytes as people read them.

import { number, say } from "./words.js";

/** A large count as people read it: 22.1 M. */
export function large(value) {
  const [factor, unit] = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]].find(([size]) => value >= size) ?? [1, ""];
  return `${number(value / factor, 3)}${unit && ` ${unit}`}`;
}

const BYTES = [
  [2 ** 40, (value) => say("{value} TiB", { value })],
  [2 ** 30, (value) => say("{value} GiB", { value })],
  [2 ** 20, (value) => say("{value} MiB", { value })],
  [2 ** 10, (value) => say("{value} KiB", { value })],
  [1, (value) => say("{value} B", { value })],
];

/** Bytes as people read them: 192 TiB. */
export function bytes(value) {
  const [factor, told] = BYTES.find(([size]) => value >= size) ?? BYTES.at(-1);
  return told(number(value / factor, 3));
}
