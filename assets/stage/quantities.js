// Large counts and bytes as people read them.

import { number } from "./words.js";

/** A large count as people read it: 22.1 M. */
export function large(value) {
  const [factor, unit] = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]].find(([size]) => value >= size) ?? [1, ""];
  return `${number(value / factor, 3)}${unit && ` ${unit}`}`;
}

/** Bytes as people read them: 192 TiB. */
export function bytes(value) {
  const [factor, unit] = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]].find(([size]) => value >= size) ?? [1, "B"];
  return `${number(value / factor, 3)} ${unit}`;
}
