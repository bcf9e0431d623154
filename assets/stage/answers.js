// Maps that speak of the whole network, rollout and class relevance: asked of the server once, then kept.

import { fetchBundle } from "./bundle.js";
import { split } from "./maps.js";

export class Answers {
  constructor(maps) {
    this.maps = maps;
    this.kept = new Map();
    this.classes = [];
  }

  /** The map that `view` shows, {values, prefix, peak, mass}, or null while it travels. */
  current(view) {
    if (view.view === "rollout") return this.rollout(view, view.layer);
    if (view.view === "class") return this.kept.get(target(view)) ?? null;
    return this.maps.map(view.layer, view.head, view.fusion, view.query, view.view);
  }

  /** Rollout through blocks 0 to `block`, or null where it is not here. */
  rollout(view, block) {
    const arrays = this.kept.get(rolled(view, block)) ?? this.kept.get(rolled(view, null));
    const row = arrays?.[`rollout.${block}`];
    return row ? split(row, this.maps.layers[0].prefix) : null;
  }

  /** What a class is called, by the network's own list. */
  named(index) {
    return this.classes.find((one) => one.index === index)?.name ?? "";
  }

  /** A function that fetches what `view` needs and resolves to changes of the view; null where everything is here. */
  needed(view) {
    const { maps } = this;
    if (maps.facts.refused[view.view] || this.current(view)) return null;
    if (view.view === "rollout") return () => this.#fetchRollout({ ...view });
    if (view.view !== "class") return () => maps.fetch(view.query, view.view).then(() => ({}));
    const askable = maps.facts.classes || (maps.facts.reads_text && view.text);
    return askable ? () => this.#fetchClass({ ...view }) : null;
  }

  async #fetchRollout(view) {
    const block = this.maps.facts.whole ? null : view.layer;
    const values = { query: view.query, fusion: view.fusion, discard: view.discard };
    const asked = block === null ? values : { ...values, layer: block };
    const { arrays } = await fetchBundle(this.maps.facts.addresses.rollout, asked);
    this.kept.set(rolled(view, block), arrays);
    return {};
  }

  async #fetchClass(view) {
    const values = view.target !== null ? { target: view.target } : view.text ? { text: view.text } : {};
    const { facts, arrays } = await fetchBundle(this.maps.facts.addresses.relevance, values);
    const changes = facts.classes.length ? { target: facts.target } : {};
    if (facts.classes.length) this.classes = facts.classes;
    this.kept.set(target({ ...view, ...changes }), split(arrays.relevance, this.maps.layers[0].prefix));
    return changes;
  }
}

const rolled = ({ query, fusion, discard }, block) => `rollout ${query} ${fusion} ${discard} ${block}`;
const target = (view) => `class ${view.target} ${view.target === null ? view.text : ""}`;
