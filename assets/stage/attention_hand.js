// Pointer, clicks and arrow keys of the attention tab: which patch asks, which block and head are shown.

import { isWhole } from "./attention_view.js";
import { stepped } from "./places.js";

const REST = 60; // milliseconds that the pointer rests before a large grid's row is fetched
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Hand {
  /** tab: an `Attention`, whose state is read and which is asked. */
  constructor(tab) {
    this.tab = tab;
    const stage = tab.drawn.stage.element;
    stage.addEventListener("pointermove", (event) => this.#point(event));
    stage.addEventListener("pointerleave", () => this.#leave());
    stage.addEventListener("click", (event) => this.#click(event));
  }

  /** Blocks and heads by the arrow keys, or the query's patch where the picture has the focus. */
  key(event) {
    const step = STEPS[event.key];
    const typing = event.target.matches("input, select, textarea, dialog *");
    if (!this.tab.state.maps || !step || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (document.activeElement === this.tab.drawn.stage.element) this.#stepQuery(step);
    else if (step[0]) this.#stepHead(step[0]);
    else this.#stepBlock(step[1]);
  }

  #cell(event) {
    const { maps } = this.tab.state;
    return maps && this.tab.drawn.stage.cell(event, maps.layers[0].grid);
  }

  #point(event) {
    const cell = this.#cell(event);
    const { maps, pointed } = this.tab.state;
    if (String(cell) === String(pointed)) return;
    this.tab.state.pointed = cell;
    this.tab.draw();
    clearTimeout(this.rest);
    const query = cell && `patch ${cell.join(",")}`;
    if (cell && !maps.here(query, "from")) this.rest = setTimeout(() => this.#prefetch(query), REST);
  }

  #prefetch(query) {
    return this.tab.turns.latest("pointer", async (turn) => {
      await turn(this.tab.state.maps.fetch(query, "from"));
      this.tab.draw();
    });
  }

  #leave() {
    clearTimeout(this.rest);
    this.tab.state.pointed = null;
    this.tab.draw();
  }

  /** A patch becomes the query; clicked again, the network's own token does. */
  #click(event) {
    const cell = this.#cell(event);
    if (!cell) return;
    const query = `patch ${cell.join(",")}`;
    this.tab.ask({ query: query === this.tab.state.view.query ? this.tab.state.maps.facts.query : query });
  }

  #stepQuery([down, right]) {
    const { maps, view } = this.tab.state;
    const [rows, columns] = maps.layers[0].grid;
    const [row, column] = maps.cell(0, view.query) ?? [Math.floor(rows / 2) - down, Math.floor(columns / 2) - right];
    this.tab.ask({ query: `patch ${stepped([row, column], [down, right], [rows, columns]).join(",")}` });
  }

  #stepBlock(step) {
    const layer = Math.min(this.tab.state.maps.blocks - 1, Math.max(0, this.tab.state.view.layer + step));
    this.tab.ask({ layer });
    this.tab.drawn.blockStrip.follow(layer);
  }

  /** Through the heads and on to all of them together. */
  #stepHead(step) {
    const { maps, view } = this.tab.state;
    if (isWhole(view)) return;
    const heads = maps.layers[view.layer].heads;
    const next = ((view.head ?? heads) + step + heads + 1) % (heads + 1);
    const head = next === heads ? null : next;
    this.tab.ask({ head });
    this.tab.drawn.headStrip.follow(head);
  }
}
