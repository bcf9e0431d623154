// Reads what explorers/bundle.py packs: a JSON header, then raw arrays, used where they lie.

import { get } from "./server.js";

const KINDS = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };

/** ArrayBuffer to {facts, arrays: name → typed array with a `shape`}. */
export function unpack(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const arrays = {};
  for (const [name, { type, shape, start }] of Object.entries(header.arrays)) {
    const count = shape.reduce((product, length) => product * length, 1);
    arrays[name] = new KINDS[type](buffer, 4 + size + start, count);
    arrays[name].shape = shape;
  }
  return { facts: header.facts, arrays };
}

let awaited = 0;

/** Whether a bundle is on its way: what is drawn may yet change. */
export const fetching = () => awaited > 0;

/** A bundle from `path`, asked with `values`; `signal` stops it. Throws what server.js throws. */
export async function fetchBundle(path, values = {}, signal = undefined) {
  awaited++;
  try {
    return unpack(await (await get(path, values, { signal })).arrayBuffer());
  } finally {
    awaited--;
  }
}
