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

  /** Index of the class that `view` explains: the network's best where none is chosen; null where it is a text. */
  target(view) {
    if (view.target !== null) return view.target;
    return this.#explainsText(view) ? null : this.classes[0]?.index ?? null;
  }

  /** What is explained: the text, or the class by the network's own list. */
  explained(view) {
    const target = this.target(view);
    return target === null ? view.text : this.classes.find(({ index }) => index === target)?.name ?? `${target}`;
  }

  /** A function that fetches what `view` needs; null where everything is here. */
  needed(view) {
    const { maps } = this;
    if (maps.facts.refused[view.view] || this.current(view)) return null;
    if (view.view === "rollout") return (signal) => this.#fetchRollout({ ...view }, signal);
    if (view.view !== "class") return () => maps.fetch(view.query, view.view); // a row is kept, whoever asked for it
    const askable = maps.facts.classes || this.#explainsText(view);
    return askable ? (signal) => this.#fetchClass({ ...view }, signal) : null;
  }

  async #fetchRollout(view, signal) {
    const block = this.maps.facts.whole ? null : view.layer;
    const values = { query: view.query, fusion: view.fusion, discard: view.discard };
    const asked = block === null ? values : { ...values, layer: block };
    const { arrays } = await fetchBundle(this.maps.facts.addresses.rollout, asked, signal);
    this.kept.set(rolled(view, block), arrays);
  }

  async #fetchClass(view, signal) {
    const values = view.target !== null ? { target: view.target } : view.text ? { text: view.text } : {};
    const { facts, arrays } = await fetchBundle(this.maps.facts.addresses.relevance, values, signal);
    if (facts.classes.length) this.classes = facts.classes;
    this.kept.set(target(view), split(arrays.relevance, this.maps.layers[0].prefix));
  }

  #explainsText(view) {
    return this.maps.facts.reads_text && view.text !== "";
  }
}

const rolled = ({ query, fusion, discard }, block) => `rollout ${query} ${fusion} ${discard} ${block}`;
const target = (view) => `class ${view.target} ${view.target === null ? view.text : ""}`;
