// The strip of all steps that a run has kept, one small frame each; pressing one shows it large.
//
// It stands still under a pointer: new frames come at its end, and what was let go leaves those that are seen in place.

import { paint } from "./training_tiles.js";
import { make, number, say } from "./words.js";

export class Strip {
  /** choose(step), or choose(null) for the newest. */
  constructor({ choose }) {
    Object.assign(this, { choose, frames: new Map(), chosen: undefined });
    this.film = make(".pl-film.pl-train-film", { role: "radiogroup", label: "Snapshots", onwheel: (event) => this.#wheel(event) });
    this.first = make("button.pl-button.pl-train-end", { type: "button", say: "First", hint: "The untrained network", onclick: () => this.#end(this.steps[0]) });
    this.newest = make("button.pl-button.pl-train-end", { type: "button", say: "Newest", hint: "Follow the network of this minute", onclick: () => this.#end(null) });
    this.element = make(".pl-train-strip", {}, this.first, this.film, this.newest);
  }

  get steps() {
    return [...this.frames.keys()];
  }

  forget() {
    Object.assign(this, { frames: new Map(), chosen: undefined });
    this.film.replaceChildren();
  }

  /** step: the one that is shown large. chosen: the one that was asked for, null for the newest. key: what the frames are of. stamp(step): an image, or null while it is not here. */
  draw(steps, { step, chosen }, key, stamp) {
    if (steps.join() !== this.steps.join()) this.#cut(steps);
    for (const [own, frame] of this.frames) {
      frame.element.setAttribute("aria-checked", own === step);
      frame.element.tabIndex = own === step ? 0 : -1;
      if (frame.painted !== key) this.#paint(frame, key, stamp(own));
    }
    this.newest.setAttribute("aria-pressed", chosen === null);
    if (chosen !== this.chosen) this.#reveal(step);
    this.chosen = chosen;
  }

  /** Nothing of another kind stays where the image is not here yet. */
  #paint(frame, key, image) {
    frame.painted = image ? key : "";
    frame.element.toggleAttribute("data-painted", Boolean(image));
    if (image) paint(frame.canvas, image);
    else frame.canvas.width = 0;
  }

  #cut(steps) {
    const before = this.frames;
    const held = this.#held(steps);
    this.frames = new Map(steps.map((step) => [step, before.get(step) ?? this.#frame(step)]));
    this.film.replaceChildren(...[...this.frames.values()].map(({ element }) => element));
    const last = steps.at(-1);
    for (const [step, { element }] of this.frames) element.onclick = () => this.choose(step === last ? null : step);
    if (held) this.film.scrollLeft += held.element.getBoundingClientRect().left - held.left;
  }

  /** The first frame in sight that stays, and where it is. */
  #held(steps) {
    const edge = this.film.getBoundingClientRect().left;
    const seen = ([step, { element }]) => steps.includes(step) && element.getBoundingClientRect().right > edge;
    const [, { element } = {}] = [...this.frames].find(seen) ?? [];
    return element && { element, left: element.getBoundingClientRect().left };
  }

  #frame(step) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const name = make("span.pl-train-step", {}, step === 0 ? say("untrained") : number(step));
    const element = make("button.pl-frame.pl-train-frame", { type: "button", role: "radio", "aria-checked": false, "data-step": step, "aria-label": say("Step {step}", { step }) }, canvas, name);
    return { element, canvas, painted: "" };
  }

  #end(step) {
    this.choose(step);
    this.#reveal(step ?? this.steps.at(-1));
  }

  /** Into the middle of what is seen; asked for by a reader, never by a run that goes on. */
  #reveal(step) {
    const { element } = this.frames.get(step) ?? {};
    if (element) this.film.scrollTo({ left: element.offsetLeft - (this.film.clientWidth - element.offsetWidth) / 2 });
  }

  /** A wheel moves along the strip for as long as there is more of it, and then the page. */
  #wheel(event) {
    if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    const before = this.film.scrollLeft;
    this.film.scrollLeft += event.deltaY;
    if (this.film.scrollLeft !== before) event.preventDefault();
  }
}
