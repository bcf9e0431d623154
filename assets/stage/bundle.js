// Reads what explorers/bundle.py packs: a JSON header, then raw arrays, used where they lie.

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

/** A fault that the server told, to be said in the reader's language. */
export class Told extends Error {
  constructor(told) {
    super(told.template);
    this.fault = told;
  }
}

/** A fault of the page's own: its English sentence and the facts in it. */
export const fault = ({ said, ...facts }) => ({ template: said, facts });

/** Where the page's own addresses begin; the page may live under a path. */
export const address = (path) => new URL(path, document.baseURI).href;

let awaited = 0;

/** Whether a bundle is on its way: what is drawn may yet change. */
export const fetching = () => awaited > 0;

/** Fetch a bundle; throws `Told` where the server says a sentence, `Told` with `gone` where it has forgotten. */
export async function fetchBundle(path, values = {}) {
  awaited++;
  try {
    return await fetched(path, values);
  } finally {
    awaited--;
  }
}

async function fetched(path, values) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
  const answer = await fetch(url).catch(() => {
    throw new Told(fault({ said: "The server could not be reached; see whether it still runs, and try again." }));
  });
  if (answer.ok) return unpack(await answer.arrayBuffer());
  const told = await answer.json().catch(() => ({}));
  if (told.fault) throw new Told(told.fault);
  const forgotten = new Told(fault({ said: "The server no longer holds this picture; it is being made again." }));
  forgotten.gone = answer.status === 410;
  throw forgotten;
}
