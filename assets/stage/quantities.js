// Large counts and bytes as people read them.

import { number, say } from "./words.js";

const COUNTS = [
  [1e15, (value) => say("{value} P", { value })],
  [1e12, (value) => say("{value} T", { value })],
  [1e9, (value) => say("{value} G", { value })],
  [1e6, (value) => say("{value} M", { value })],
  [1e3, (value) => say("{value} k", { value })],
  [0, (value) => value],
];

/** A large count as people read it: 22.1 M, in Russian 22,1 млн. */
export function large(value) {
  const [factor, told] = COUNTS.find(([size]) => value >= size);
  return told(number(value / (factor || 1), 3));
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
