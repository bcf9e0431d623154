// Two runs side by side: the page itself twice, each half without its frame, both led by one bar.

import { besides } from "./life_film.js";
import { make } from "./words.js";

const PATIENCE = 120_000; // ms for a half to draw
const GLANCE = 40; // ms between two looks at whether it has

export class Pair {
  constructor() {
    this.frames = [0, 1].map(() => make("iframe.pl-life-half", { label: "A run" }));
    this.titles = [0, 1].map(() => make("h2"));
    const halves = this.frames.map((frame, place) => make("section", {}, this.titles[place], frame));
    this.element = make(".pl-life-pair", { hidden: true }, ...halves);
    this.name = null;
  }

  get open() {
    return this.name !== null;
  }

  /** one, other: names of runs. */
  show(one, other) {
    this.name = other;
    this.element.hidden = false;
    [one, other].forEach((name, place) => {
      this.titles[place].textContent = name;
      const url = new URL(location.href);
      url.searchParams.set("checkpoint", `run/${name}`);
      url.searchParams.set("half", "1");
      this.frames[place].src = url.href;
    });
  }

  close() {
    if (!this.open) return;
    this.name = null;
    this.element.hidden = true;
    this.frames.forEach((frame) => (frame.src = "about:blank"));
  }

  /** Both halves to a network each. */
  go(one, other) {
    this.wanted = [one, other];
    this.telling ??= this.shown().finally(() => (this.telling = null));
    this.telling.catch(() => {}); // whoever waits for the halves hears of it
  }

  /** Resolves when both halves show what they were told last; a half that has only now arrived is told again. */
  async shown() {
    for (let told = null; told !== this.wanted; ) {
      told = this.wanted;
      await Promise.all(this.frames.map((frame, place) => this.#drawn(frame, place)));
    }
  }

  async #drawn(frame, place) {
    const until = performance.now() + PATIENCE;
    while (frame.contentDocument?.body?.dataset.shown?.split(" ")[0] !== this.wanted[place]) {
      frame.contentWindow?.patchlight?.open(this.wanted[place]);
      if (performance.now() > until) throw new Error("a half was not drawn");
      await new Promise((resolve) => setTimeout(resolve, GLANCE));
    }
    await frame.contentWindow.patchlight.shown(this.wanted[place]);
  }

  /** Both pictures as one blob. */
  async capture() {
    return besides(await Promise.all(this.frames.map((frame) => frame.contentWindow.patchlight.capture())));
  }
}
