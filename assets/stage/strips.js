// Film strips: every block, every head as a small map. They are the controls themselves.

import { thumbnail } from "./colours.js";
import { make, say } from "./words.js";

export class Strip {
  /** name: English word before the strip; said: English text of one frame's label with {number}; choose(index). */
  constructor(name, said, choose) {
    this.said = said;
    this.choose = choose;
    this.frames = [];
    this.film = make(".pl-film", { role: "radiogroup", label: name });
    this.end = make(".pl-film-end");
    this.element = make(".pl-strip", {}, make("span.pl-strip-name", { say: name }), this.film, this.end);
  }

  /** maps: one {values, grid, scale, table} a frame, or null for one that cannot be chosen. chosen: index or null. */
  draw(maps, chosen) {
    if (this.frames.length !== maps.length) this.#build(maps.length);
    maps.forEach((map, index) => {
      const { frame, canvas } = this.frames[index];
      frame.disabled = map === null;
      frame.setAttribute("aria-checked", index === chosen);
      frame.tabIndex = index === (chosen ?? 0) ? 0 : -1;
      if (map && !same(canvas.shown, map)) {
        thumbnail(canvas, map.values, map.grid, map.scale, map.table);
        canvas.style.aspectRatio = `${map.aspect}`;
        canvas.shown = map;
      }
    });
  }

  words() {
    this.frames.forEach(({ frame }, index) => frame.setAttribute("aria-label", say(this.said, { number: index + 1 })));
  }

  /** Move the keyboard's focus to the chosen frame, where this strip has it already. */
  follow(chosen) {
    if (chosen !== null && this.film.contains(document.activeElement)) this.frames[chosen]?.frame.focus();
  }

  #build(count) {
    this.frames = Array.from({ length: count }, (_, index) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      const frame = make("button.pl-frame", { type: "button", role: "radio", onclick: () => this.choose(index) }, canvas, make("span.pl-number", {}, String(index + 1)));
      return { frame, canvas };
    });
    this.film.style.setProperty("--frames", count);
    this.film.replaceChildren(...this.frames.map(({ frame }) => frame));
    this.words();
  }
}

const same = (before, now) => before && Object.keys(now).every((name) => before[name] === now[name]);
