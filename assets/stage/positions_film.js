// What a position table looks like in other ways: small pictures that are the choice of the large one.

import { coloured, painted, stamp } from "./board.js";
import { make, say } from "./words.js";

const FIGURES = { similarity: "Similarity", components: "PCA as RGB", norms: "Norms", spectrum: "Spectrum" };
const MOST_PREFIX = 5;

export class Film {
  /** choose(figure, token). */
  constructor(choose) {
    this.choose = choose;
    this.film = make(".pl-film", { role: "radiogroup", label: "Figure" });
    this.element = make(".pl-strip", { hidden: true }, make("span.pl-strip-name", { say: "Table" }), this.film);
  }

  /** tab: the positions tab, with `values` of the large map. */
  draw(tab) {
    const { part, view } = tab;
    const prefix = Math.min(part.prefixValues ? part.prefixValues.shape[0] : 0, MOST_PREFIX);
    const wanted = part.table ? [...Object.keys(FIGURES).map((figure) => [figure, 0]), ...Array.from({ length: prefix }, (_, token) => ["prefix", token])] : [];
    this.element.hidden = !wanted.length;
    if (this.wanted !== wanted.join(" ")) this.#build(wanted, tab.facts.names);
    const key = [tab.facts.checkpoint, part.index, part.rival, view.colours].join(" ");
    for (const { figure, token, canvas, frame } of this.frames) {
      frame.setAttribute("aria-checked", figure === view.figure && (figure !== "prefix" || token === tab.token));
      if (canvas.kept === key) continue;
      if (figure !== "similarity") canvas.kept = key;
      stamp(canvas, figure === "components" ? coloured(part.componentsValues, part.grid) : painted(tab.figure(figure, token), part.grid, tab.scaleOf(figure, token)));
    }
  }

  #build(wanted, names) {
    this.wanted = wanted.join(" ");
    this.frames = wanted.map(([figure, token]) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      const name = figure === "prefix" ? make("span", {}, say(names[token])) : make("span", { say: FIGURES[figure] });
      const frame = make("button.pl-figure-frame", { type: "button", role: "radio", onclick: () => this.choose(figure, token) }, canvas, name);
      return { figure, token, canvas, frame };
    });
    this.film.replaceChildren(...this.frames.map(({ frame }) => frame));
  }
}
