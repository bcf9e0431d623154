// What tabs with a place on a grid share: drawn at most once a frame, walked by the arrow keys, told in a caption.

import { Absent } from "./absent.js";
import { fetchBundle } from "./bundle.js";
import { cellOf, middle, noPlace, stepped } from "./places.js";
import { make } from "./words.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class GridTab {
  keys = { "← ↑ → ↓": "The chosen patch, one further" };

  /** defaults: the declared parameters' own. asked: those of the page's address. tell(fault): the page's sentence.
   *  turns: of all that is asked here, ended when another picture or network comes. */
  constructor({ defaults, asked, tell, turns }) {
    Object.assign(this, { defaults, tell, turns, pointed: null, absent: new Absent() });
    this.view = { ...defaults, ...asked };
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
  }

  /** Draw soon; `frame` of the tab draws everything. */
  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.shows) this.frame();
    });
  }

  /** What the address asks under `name` and this grid lacks: the middle takes its place, and `show` returns why. */
  fitPlace(name, grid) {
    if (this.view[name] && !cellOf(this.view[name], grid)) this.absent.replace(this.view, name, "", noPlace(this.view[name], grid, middle(grid)));
  }

  /** The cell of `grid` that is asked for under `name`, else its middle. */
  placeOf(name, grid) {
    return cellOf(this.view[name], grid) ?? middle(grid);
  }

  /** [down, right] of an arrow key that is nobody else's, or null. */
  step(event, others = "input, select, textarea, dialog *") {
    const step = this.shows && !event.ctrlKey && !event.metaKey && !event.altKey ? STEPS[event.key] : null;
    if (!step || event.target.matches(others)) return null;
    event.preventDefault();
    return step;
  }

  /** The place under `name` after one step on `grid`, as the address writes it. */
  walked(name, step, grid) {
    return stepped(this.placeOf(name, grid), step, grid).join(",");
  }

  /** The pointer is over this cell now, or over none. */
  point(cell) {
    if (String(cell) === String(this.pointed)) return;
    this.pointed = cell;
    this.draw();
  }

  /** Sentences under the picture, the first of them strong. */
  says(sentences) {
    this.said = sentences;
    this.caption.replaceChildren(make("strong", {}, sentences[0]), ` ${sentences.slice(1).join(" ")}`);
  }

  /** The address of the numbers behind what is shown; `values` without those that are not given. */
  addressOf(values) {
    const url = new URL(this.facts.numbers, document.baseURI);
    for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
    return url.href;
  }

  /** Facts of a pass that counts; `button` rests meanwhile. */
  async measure(button, values = {}) {
    await this.turns.latest("measure", async (turn) => {
      this.measured = (await turn(fetchBundle(this.facts.measure, values, turn.signal))).facts;
      this.draw();
    }, (busy) => (button.disabled = busy));
  }

  /** Whether something is shown that could be exported. */
  get shows() {
    return Boolean(this.facts) && !this.facts.refused;
  }
}
