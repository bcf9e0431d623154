// What is known of each label by these templates: fetched once, in slices that fit into an address.

import { fetchBundle } from "./bundle.js";

const SLICE = 100; // labels of one request at most
const TEXTS = 800; // texts, that is labels × templates, of one request at most
const LETTERS = 5000;

export class Known {
  /** far(done, of), or far(null) once nothing is missing. */
  constructor({ far }) {
    this.far = far;
    this.clear();
  }

  clear() {
    this.scores = new Map();
  }

  has(label) {
    return this.scores.has(label);
  }

  /** {cosine, each, without}: of all templates, of each alone, of all others without it. */
  get(label) {
    return this.scores.get(label) ?? null;
  }

  /** Fetch what is missing of `labels`, {templates, ensemble, count}: count of templates. turn: of turns.js. */
  async fetch(address, labels, { templates, ensemble, count }, turn) {
    const missing = [...new Set(labels)].filter((label) => !this.has(label));
    let done = labels.length - missing.length;
    for (const slice of slices(missing, Math.max(1, Math.min(SLICE, Math.floor(TEXTS / count))))) {
      const query = { labels: slice.join("\n"), templates: templates.join("\n"), ensemble };
      const { arrays: found } = await turn(fetchBundle(address, query, turn.signal));
      slice.forEach((label, at) => this.scores.set(label, { cosine: found.cosine[at], each: column(found.each, at), without: column(found.left_out, at) }));
      done += slice.length;
      if (done < labels.length) this.far(done, labels.length);
    }
    this.far(null);
  }
}

function slices(labels, most) {
  const made = [];
  for (const label of labels) {
    const last = made.at(-1);
    if (!last || last.length >= most || last.join("").length > LETTERS) made.push([label]);
    else last.push(label);
  }
  return made;
}

/** One label's values over all templates, out of (templates, labels). */
function column(values, at) {
  const [templates, labels] = values.shape;
  return Float32Array.from({ length: templates }, (_, template) => values[template * labels + at]);
}
