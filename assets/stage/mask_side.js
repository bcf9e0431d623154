// The right side of the mask lab: what is hidden, what came of it, and what may mislead; the rest is in mask_more.js.

import { card, factTable, segmented, slider } from "./controls.js";
import { More } from "./mask_more.js";
import { Answers, figure } from "./mask_table.js";
import { nameOf } from "./mask_view.js";
import { make, number, say } from "./words.js";

const KINDS = { random: "Random", block: "Block", grid: "Grid" };
const STATISTICS = { own: "As it knows", true: "True: a leak" };
const MOST_SEED = 999999;

const NOTES = {
  own: "The network knows no patch's brightness and contrast. Each is given those of visible patches on average.",
  true: "Each patch is given its true mean and deviation: brightness and contrast of the answer leak into the picture.",
};

export class Side {
  /** ask(changes): of the view. act(name): undo, invert, clear, all, object, outside, doubt, curve, gif, mp4.
   *  choose(row, column): a square. compare(key): an answer that is put beside the network's. */
  constructor({ ask, act, choose, compare }) {
    Object.assign(this, { ask, act, choose, rows: [] });
    this.more = new More({ ask, act });
    this.result = new Answers(["PSNR in dB", "As in training"], compare);
    this.patch = new Answers(["Squared, colours", "As in training"]);
    this.element = make("aside.pl-side", { label: "Question" }, this.#mask(), this.#result(), this.#patch(), this.#statistics(), ...this.more.cards, this.#caution());
    this.setPatch(null, {});
    this.setResult(null);
  }

  /** view: what is asked. hidden, patches: counts. */
  setMask(view, hidden, patches) {
    this.kinds.set(view.painted ? "" : view.kind);
    this.setCount(hidden, patches);
    this.ratio.set(view.painted ? hidden / patches : view.ratio);
    if (document.activeElement !== this.seed) this.seed.value = view.seed;
    this.statistics.set(view.statistics);
    this.note.textContent = say(NOTES[view.statistics]);
    this.more.setView(view);
  }

  /** The one line that follows a stroke while it is painted. */
  setCount(hidden, patches) {
    this.ratioHead.textContent = say("Hidden: {hidden} of {patches}, {percent} %", { hidden, patches, percent: number((100 * hidden) / patches, 3) });
  }

  /** Of the patch under the pointer: {rows, deviation} of mask_view.js, and whether it is hidden; or null for none. */
  setPatch(place, { rows = [], deviation = null, hidden = false }) {
    this.patchHead.textContent = place ? say("Square: row {row}, column {column}", place) : say("Square under the pointer");
    this.patch.set(rows);
    this.state.set({ state: place && !rows.length ? say(hidden ? "hidden" : "visible") : null, doubt: deviation });
    this.patchHint.hidden = Boolean(place);
  }

  /** Facts of the answer, or null while there is none. chosen: key of the answer that stands beside. */
  setResult(facts, others = [], chosen = null) {
    const row = ({ key = null, title, psnr, loss }) => ({ key, title, chosen: key === chosen, values: [figure(psnr), figure(loss)] });
    this.rows = facts ? [row({ title: facts.title, psnr: facts.psnr.network, loss: facts.loss }), ...others.map((other) => row({ ...other, title: nameOf(other) }))] : [];
    this.result.set(this.rows);
    const places = (facts?.worst ?? []).map(({ row: down, column }) =>
      make("button", { type: "button", onclick: () => this.choose(down, column) }, say("row {row}, column {column}", { row: down + 1, column: column + 1 })),
    );
    this.worst.replaceChildren(...places);
    this.worstHead.hidden = this.besideHint.hidden = !places.length;
  }

  /** What this network can be asked. able: [{id, title}] of networks that paint. */
  setNetwork(facts) {
    this.normalised.hidden = !facts.normalised;
    this.more.setNetwork(facts);
  }

  // -- cards -----------------------------------------------------------------------------------------------------------

  #mask() {
    this.kinds = segmented("Kind of mask", KINDS, (kind) => this.ask({ kind, mask: "" }), ".pl-mask-kinds");
    this.ratioHead = make("p.pl-note.pl-mask-count");
    this.ratio = slider("Hidden share", { min: 0.05, max: 0.95, step: 0.01 }, (ratio) => this.ask({ ratio, mask: "" }));
    this.seed = make("input.pl-text.pl-mask-seed", { type: "number", min: 0, max: MOST_SEED, step: 1, label: "Seed", onchange: () => this.ask({ seed: bounded(this.seed.value), mask: "" }) });
    const fresh = make("button.pl-link", { type: "button", say: "New seed", onclick: () => this.ask({ seed: Math.floor(Math.random() * 1000), mask: "" }) });
    const button = (name, text, hint) => make("button.pl-button", { type: "button", say: text, hint, onclick: () => this.act(name) });
    const actions = make(".pl-mask-actions", {},
      button("undo", "Undo", "Take the last change back: Ctrl and Z"),
      button("invert", "Invert", "Hide what is seen and show what is hidden: the key I"),
      button("clear", "Clear", "Hide nothing: Delete"),
      button("object", "Object", "Hide the object that attention finds"),
      button("outside", "Outside", "Hide all but the object that attention finds"),
      button("all", "Hide all", "Then show only what you paint"),
    );
    const paint = make("p.pl-note", { say: "Paint on the second panel, by pointer or by arrows and space; a stroke that starts on a hidden square shows squares again." });
    return card("Mask", this.kinds.element, this.ratioHead, this.ratio.element, make(".pl-inline", {}, make("span.pl-name", { say: "Seed" }), this.seed, fresh), actions, paint);
  }

  #patch() {
    this.patchHead = make("h2");
    this.state = factTable({ state: "It is", doubt: "Deviation over masks" });
    this.patchHint = make("p.pl-note", { say: "Point at a square for its errors; click one of the third panel to see where its guess comes from." });
    return make("section.pl-card", {}, this.patchHead, this.patch.element, this.state.element, this.patchHint);
  }

  #result() {
    this.worst = make(".pl-mask-worst", { role: "group", label: "Worst squares" });
    this.worstHead = make("p.pl-note", { say: "Worst squares" });
    this.besideHint = make("p.pl-note", { say: "Click a name to see that answer beside the network's." });
    return card("Over hidden squares", this.result.element, this.besideHint, this.worstHead, this.worst);
  }

  #statistics() {
    this.statistics = segmented("Brightness and contrast", STATISTICS, (statistics) => this.ask({ statistics }));
    this.note = make("p.pl-note");
    this.normalised = card("Brightness and contrast", this.statistics.element, this.note);
    return this.normalised;
  }

  #caution() {
    const caution = make("p.pl-note", { say: "The network returns one likely picture, not what was there. A low error may be owed to a plain background; compare it with the two answers that need no network." });
    return make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), caution);
  }
}

const bounded = (text) => Math.min(MOST_SEED, Math.max(0, Math.floor(Number(text)) || 0));
