// The right side of the mask lab: what is hidden, what came of it, doubt, the curve, and what may mislead.

import { card, factTable, segmented, select, slider } from "./controls.js";
import { make, number, say } from "./words.js";

const KINDS = { random: "Random", block: "Block", grid: "Grid" };
const STATISTICS = { own: "As it knows", true: "True, leaks" };
const MOST_SEED = 999999;

const NOTES = {
  own: "The network knows no patch's brightness and contrast. Each is given those of visible patches on average.",
  true: "Each patch is given its true mean and deviation: brightness and contrast of the answer leak into the picture.",
};

export class Side {
  /** ask(changes): of the view. act(name): undo, invert, clear, all, object, outside, doubt, curve, film. */
  constructor({ ask, act, choose }) {
    Object.assign(this, { ask, act, choose });
    this.element = make("aside.pl-side", { label: "Question" }, this.#mask(), this.#patch(), this.#result(), this.#statistics(), this.#against(), this.#doubt(), this.#more(), this.#caution());
    this.setPatch(null, {});
    this.setResult(null);
  }

  /** view: what is asked. hidden, patches: counts. */
  setMask(view, hidden, patches) {
    this.kinds.set(view.painted ? "" : view.kind);
    this.ratioHead.textContent = say("Hidden: {hidden} of {patches}, {percent} %", { hidden, patches, percent: number((100 * hidden) / patches, 3) });
    this.ratio.set(view.painted ? hidden / patches : view.ratio);
    if (document.activeElement !== this.seed) this.seed.value = view.seed;
    this.statistics.set(view.statistics);
    this.note.textContent = say(NOTES[view.statistics]);
    this.against.set(view.against);
    this.count.set(view.masks || 16);
  }

  /** Of the patch under the pointer: named figures, or null for none. */
  setPatch(place, figures) {
    this.patchHead.textContent = place ? say("Square: row {row}, column {column}", place) : say("Square under the pointer");
    const empty = { error: null, loss: null, nearest: null, mean: null, doubt: null, state: null };
    this.patch.set({ ...empty, ...figures });
    this.patchHint.hidden = Boolean(place);
  }

  /** Facts of the answer, or null while there is none. */
  setResult(facts) {
    this.result.set({
      loss: facts && number(facts.loss, 3),
      network: facts && decibels(facts.psnr.network),
      nearest: facts && decibels(facts.psnr.nearest),
      mean: facts && decibels(facts.psnr.mean),
      against: facts?.against ? decibels(facts.against.psnr) : null,
    });
    const places = (facts?.worst ?? []).map(({ row, column }) =>
      make("button", { type: "button", onclick: () => this.choose(row, column) }, `${row + 1}, ${column + 1}`),
    );
    this.worst.replaceChildren(...places);
    this.worstHead.hidden = !places.length;
  }

  /** What this network can be asked. able: [{id, title}] of networks that paint. */
  setNetwork({ normalised, checkpoint, able }) {
    this.normalised.hidden = !normalised;
    this.against.fill([["", say("none")], ...able.filter(({ id, here }) => here && id !== checkpoint).map(({ id, title }) => [id, title])]);
  }

  /** What masks will take: {batch, bytes, masks}. */
  setForeseen(told) {
    this.foreseen.textContent = told
      ? say("{masks} masks, {batch} in a batch: {megabytes} MB.", { masks: told.masks, batch: told.batch, megabytes: number(Math.max(1, Math.round(told.bytes / 1e6))) })
      : "…";
  }

  /** Progress of "doubt" or "curve" in [0, 1], or null when it does not run. */
  setRunning(name, share) {
    const { button, meter, start } = this.runs[name];
    button.dataset.say = share === null ? start : "Stop";
    button.textContent = say(button.dataset.say);
    meter.hidden = share === null;
    meter.style.setProperty("--done", share ?? 0);
  }

  // -- cards -----------------------------------------------------------------------------------------------------------

  #mask() {
    this.kinds = segmented("Kind of mask", KINDS, (kind) => this.ask({ kind, mask: "" }), ".pl-mask-kinds");
    this.ratioHead = make("p.pl-note");
    this.ratio = slider("Hidden share", { min: 0.05, max: 0.95, step: 0.01 }, (ratio) => this.ask({ ratio, mask: "" }));
    this.seed = make("input.pl-text.pl-mask-seed", { type: "number", min: 0, max: MOST_SEED, step: 1, label: "Seed", onchange: () => this.ask({ seed: bounded(this.seed.value), mask: "" }) });
    const fresh = make("button.pl-link", { type: "button", say: "New seed", onclick: () => this.ask({ seed: Math.floor(Math.random() * 1000), mask: "" }) });
    const button = (name, text, hint, kind = "") => make(`button.pl-button${kind}`, { type: "button", say: text, hint, onclick: () => this.act(name) });
    const actions = make(".pl-mask-actions", {},
      button("undo", "Undo", "Take the last change back: Ctrl and Z"),
      button("invert", "Invert", "Hide what is seen and show what is hidden: the key I"),
      button("clear", "Clear", "Hide nothing: Delete"),
      button("object", "Object", "Hide the object that attention finds"),
      button("outside", "Outside", "Hide all but the object that attention finds"),
      button("all", "Hide all", "Then show only what you paint"),
    );
    const paint = make("p.pl-note", { say: "Paint on the second panel, by pointer or by arrows and space." });
    return card("Mask", this.kinds.element, this.ratioHead, this.ratio.element, make(".pl-inline", {}, make("span.pl-name", { say: "Seed" }), this.seed, fresh), actions, paint);
  }

  #patch() {
    this.patchHead = make("h2");
    this.patch = factTable({ state: "It is", error: "Squared error, colours", loss: "Error, as in training", nearest: "Nearest patch's", mean: "Mean colour's", doubt: "Deviation over masks" });
    this.patchHint = make("p.pl-note", { say: "Point at a square for its errors; click one of the third panel to see where its guess comes from." });
    return make("section.pl-card", {}, this.patchHead, this.patch.element, this.patchHint);
  }

  #result() {
    this.result = factTable({ loss: "Loss", network: "Network, PSNR", against: "Second network", nearest: "Nearest patch", mean: "Mean colour" });
    this.worst = make(".pl-mask-worst", { role: "group", label: "Worst squares" });
    this.worstHead = make("p.pl-note", { say: "Worst squares: row, column" });
    return card("Over hidden squares", this.result.element, this.worstHead, this.worst);
  }

  #statistics() {
    this.statistics = segmented("Brightness and contrast", STATISTICS, (statistics) => this.ask({ statistics }));
    this.note = make("p.pl-note");
    this.normalised = card("Brightness and contrast", this.statistics.element, this.note);
    return this.normalised;
  }

  #against() {
    this.against = select("Compare with", [], (against) => this.ask({ against, mask: "" }));
    return card("Compare with", this.against.element, make("p.pl-note", { say: "The same mask goes to both, on the coarser grid of the two." }));
  }

  #doubt() {
    this.count = slider("Masks", { min: 8, max: 64, step: 1 }, (masks) => this.ask({ masks }));
    this.foreseen = make("p.pl-note.pl-foreseen");
    this.runs = { doubt: this.#run("doubt", "Run masks") };
    const note = make("p.pl-note", { say: "Every square is painted whenever it is hidden: their mean is a picture of predictions only." });
    return card("Doubt", this.count.element, this.foreseen, this.runs.doubt.button, this.runs.doubt.meter, note);
  }

  #more() {
    this.runs.curve = this.#run("curve", "Ratio curve");
    const film = make("button.pl-button", { type: "button", say: "Film, GIF", hint: "The mask grows from 5 to 95 %", onclick: () => this.act("film") });
    return card("Over ratios", make(".pl-buttons", {}, this.runs.curve.button, film), this.runs.curve.meter);
  }

  #caution() {
    const caution = make("p.pl-note", { say: "The network returns one likely picture, not what was there. A low error may be owed to a plain background; compare it with the two answers that need no network." });
    return make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), caution);
  }

  #run(name, start) {
    const button = make("button.pl-button.pl-mask-run", { type: "button", say: start, "data-run": name, onclick: () => this.act(name) });
    return { start, button, meter: make(".pl-mask-meter", { hidden: true }, make("i")) };
  }
}

const decibels = (value) => say("{value} dB", { value: number(value, 3) });
const bounded = (text) => Math.min(MOST_SEED, Math.max(0, Math.floor(Number(text)) || 0));
