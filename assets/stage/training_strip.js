// The strip of all steps that a run has kept, one small frame each; pressing one shows it large.

import { paint } from "./training_tiles.js";
import { make, number, say } from "./words.js";

export class Strip {
  /** choose(step), or choose(null) for the newest. */
  constructor({ choose }) {
    Object.assign(this, { choose, frames: new Map(), shown: null });
    this.element = make(".pl-film.pl-train-film", { role: "radiogroup", label: "Snapshots" });
    new ResizeObserver(() => this.#scroll(this.shown, "instant")).observe(this.element);
  }

  forget() {
    Object.assign(this, { frames: new Map(), shown: null });
    this.element.replaceChildren();
  }

  /** step: the one that is shown large. key: what the frames are of. stamp(step): an image, or null while it is not here. */
  draw(steps, step, key, stamp) {
    if (steps.join() !== [...this.frames.keys()].join()) this.#cut(steps);
    for (const [own, frame] of this.frames) {
      frame.element.setAttribute("aria-checked", own === step);
      frame.element.tabIndex = own === step ? 0 : -1;
      if (frame.painted !== key) this.#paint(frame, key, stamp(own));
    }
    if (this.shown !== step) this.#scroll(step);
    this.shown = step;
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
    this.frames = new Map(steps.map((step) => [step, before.get(step) ?? this.#frame(step)]));
    this.element.replaceChildren(...[...this.frames.values()].map(({ element }) => element));
    const last = steps.at(-1);
    for (const [step, { element }] of this.frames) element.onclick = () => this.choose(step === last ? null : step);
  }

  #frame(step) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const name = make("span.pl-train-step", {}, step === 0 ? say("untrained") : number(step));
    const element = make("button.pl-frame.pl-train-frame", { type: "button", role: "radio", "data-step": step, "aria-label": say("Step {step}", { step }) }, canvas, name);
    return { element, canvas, painted: "" };
  }

  #scroll(step, behavior = "smooth") {
    const { element } = this.frames.get(step) ?? {};
    if (element) this.element.scrollTo({ left: element.offsetLeft - (this.element.clientWidth - element.offsetWidth) / 2, behavior });
  }
}
