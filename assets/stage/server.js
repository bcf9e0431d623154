// The one way to ask the server. Instead of an answer it has one sentence each: what it refuses, says itself; that it has
// forgotten; that it could not answer; that it is away.

/** A fault of the page's own: its English sentence and the facts in it. */
export const fault = ({ said, ...facts }) => ({ template: said, facts });

/** Where the page's own addresses begin; the page may live under a path. */
export const address = (path) => new URL(path, document.baseURI).href;

/** A sentence in place of an answer, to be said in the reader's language. */
export class Told extends Error {
  constructor(told) {
    super(told.template);
    this.fault = told;
  }
}

/** The server has forgotten what an address stood for. */
export class Gone extends Told {
  constructor() {
    super(fault({ said: "The server no longer holds this picture; it is being made again." }));
  }
}

/** The server is not there, or not yet again. */
export class Away extends Told {
  constructor() {
    super(fault({ said: "The server is away; looking for it." }));
  }
}

/** GET `path` with named `values` in its query: a Response whose body is here. Throws `Told`, `Gone` or `Away`. */
export function get(path, values = {}, request = {}) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
  return answered(() => fetch(url, request));
}

/** What `send` resolves to, a Response, once its body is here too; throws where it is no answer. */
export async function answered(send) {
  const answer = await sent(send);
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  if (told.fault) throw new Told(told.fault);
  if (told.error) throw new Told({ template: told.error, facts: {} });
  if (answer.status === 410) throw new Gone();
  throw answer.status >= 502 ? new Away() : new Told(fault({ said: "The server could not answer; its log says why." }));
}

/** A connection that fails, or breaks off half way, is a server that is away; what was aborted stays so. */
async function sent(send) {
  try {
    const answer = await send();
    return new Response(await answer.arrayBuffer(), { status: answer.status, headers: answer.headers });
  } catch (wrong) {
    throw wrong.name === "AbortError" || wrong.name === "TimeoutError" ? wrong : new Away();
  }
}

/** A picture that the server keeps, ready to be drawn. */
export async function picture(path, signal) {
  const kept = URL.createObjectURL(await (await get(path, {}, { signal })).blob());
  const image = new Image();
  image.src = kept;
  try {
    await image.decode();
  } finally {
    URL.revokeObjectURL(kept);
  }
  return image;
}
