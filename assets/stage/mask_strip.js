// The film strip under the panels: small pictures of everything that the first panel can show; they are its controls.

import { Drawing } from "./mask_canvas.js";
import { VIEWS, drawView } from "./mask_kept.js";
import { make } from "./words.js";

const SMALL = 150; // pixels

export class Strip {
  /** choose(name of a view). */
  constructor(choose) {
    this.frames = Object.entries(VIEWS).map(([name, text]) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      const frame = make("button.pl-mask-frame", { type: "button", role: "radio", disabled: true, hidden: true, "data-view": name, onclick: () => choose(name) }, canvas, make("span", { say: text }));
      return { name, frame, canvas };
    });
    this.element = make(".pl-mask-film", { role: "radiogroup", label: "First panel" }, ...this.frames.map(({ frame }) => frame));
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  draw(kept, chosen, aspect) {
    for (const { name, frame, canvas } of this.frames) {
      const view = kept.views[name];
      frame.disabled = frame.hidden = !view;
      frame.setAttribute("aria-checked", name === chosen);
      frame.tabIndex = name === chosen ? 0 : -1;
      if (!view) continue;
      [canvas.width, canvas.height] = [SMALL, Math.round(SMALL / aspect)];
      drawView(new Drawing(canvas), view, kept.image);
    }
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const open = this.frames.map(({ frame }) => frame).filter(({ disabled }) => !disabled);
    const next = open[(open.indexOf(document.activeElement) + step + open.length) % open.length];
    next.focus();
    next.click();
  }
}
