// Two charts that stand still: how far each head looks, and how evenly. And the sinks, named.

import { fetchBundle } from "./bundle.js";
import { tokenName } from "./caption.js";
import { themed } from "./colours.js";
import { make, number, say } from "./words.js";

const EDGE = { left: 44, right: 10, top: 10, bottom: 26 };

export class Charts {
  /** choose(layer, head) when a dot is clicked. */
  constructor(choose) {
    this.choose = choose;
    this.plots = [
      { name: "distance", heading: "Mean attention distance, pixels", canvas: make("canvas", { role: "img" }) },
      { name: "entropy", heading: "Mean entropy of a row, bits", canvas: make("canvas", { role: "img" }) },
    ];
    this.note = make("p.pl-note");
    this.sinks = make("div.pl-sinks");
    this.element = make("section.pl-charts", { hidden: true },
      ...this.plots.map(({ heading, canvas }) => make("figure.pl-chart", {}, make("figcaption", { say: heading }), canvas)),
      make("div.pl-chart", {}, make("h2", { say: "Sinks" }), this.sinks),
    );
    for (const plot of this.plots) plot.canvas.onclick = (event) => this.#click(plot, event);
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Those of another picture, once they are here; none are shown meanwhile. turns: of the tab. */
  fetch(path, turns) {
    this.data = null;
    this.element.hidden = true;
    return turns.latest("figures", async (turn) => {
      this.data = await turn(fetchBundle(path, {}, turn.signal));
      this.element.hidden = false;
      this.draw();
    });
  }

  mark(layer, head) {
    if (this.layer === layer && this.head === head) return;
    [this.layer, this.head] = [layer, head];
    if (this.data) this.draw();
  }

  draw() {
    if (!this.data || !this.element.clientWidth) return;
    for (const plot of this.plots) this.#plot(plot);
    this.#nameSinks();
  }

  #plot({ name, heading, canvas }) {
    const density = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [canvas.clientWidth * density, canvas.clientHeight * density];
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const blocks = this.data.facts.blocks;
    const all = Array.from({ length: blocks }, (_, block) => this.data.arrays[`${name}.${block}`]);
    const most = Math.max(...all.flatMap((heads) => Array.from(heads))) * 1.06 || 1;
    const [width, height] = [canvas.clientWidth - EDGE.left - EDGE.right, canvas.clientHeight - EDGE.top - EDGE.bottom];
    const x = (block) => EDGE.left + (width * (block + 0.5)) / blocks;
    const y = (value) => EDGE.top + height * (1 - value / most);
    this.#axes(context, { blocks, most, width, height, x, y });
    canvas.dots = [];
    all.forEach((heads, block) => heads.forEach((value, head) => {
      const chosen = block === this.layer && head === this.head;
      context.beginPath();
      context.arc(x(block), y(value), chosen ? 5 : block === this.layer ? 3.6 : 2.6, 0, 2 * Math.PI);
      context.fillStyle = themed(chosen || block === this.layer ? "accent" : "muted");
      context.fill();
      if (chosen) [context.strokeStyle, context.lineWidth] = [themed("text"), 1.5], context.stroke();
      canvas.dots.push({ x: x(block), y: y(value), block, head });
    }));
    canvas.setAttribute("aria-label", say("{chart}, a dot for each head, by block: from {least} to {most}.", {
      chart: say(heading), least: number(Math.min(...all.flatMap((heads) => Array.from(heads))), 3), most: number(most / 1.06, 3),
    }));
  }

  #axes(context, { blocks, most, width, height, x, y }) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = themed("muted");
    context.strokeStyle = themed("line");
    context.lineWidth = 1;
    const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => most / size <= 5) ?? most / 4;
    context.textAlign = "right";
    for (let value = 0; value <= most; value += step) {
      context.beginPath();
      context.moveTo(EDGE.left, y(value));
      context.lineTo(EDGE.left + width, y(value));
      context.stroke();
      context.fillText(number(value), EDGE.left - 6, y(value) + 4);
    }
    context.textAlign = "center";
    const every = Math.ceil(blocks / 12);
    for (let block = 0; block < blocks; block += every) context.fillText(String(block + 1), x(block), EDGE.top + height + 16);
    context.textAlign = "right";
    context.fillText(say("block"), EDGE.left - 6, EDGE.top + height + 16);
  }

  #nameSinks() {
    const { sinks } = this.data.facts;
    const told = sinks.filter(({ tokens }) => tokens.length);
    const lines = told.map(({ block, tokens, share, even }) =>
      make("p", {}, say("Block {block}: {tokens}. They draw {share} % of attention; an even share would be {even} %.", {
        block: block + 1, tokens: this.#names(tokens), share: number(100 * share, 3), even: number(100 * even, 2),
      })),
    );
    const none = make("p", { say: "No token of any block stands out by its norm." });
    const about = make("p.pl-note", { say: "Tokens whose output norm is an outlier (Darcet et al. 2023, arXiv 2309.16588)." });
    this.sinks.replaceChildren(about, ...(lines.length ? lines : [none]));
  }

  #names(tokens) {
    const words = tokens.slice(0, 4).map(({ name, row, column }) => (name ? tokenName(name) : say("patch {row}, {column}", { row: row + 1, column: column + 1 })));
    return words.join("; ") + (tokens.length > 4 ? ` … (${tokens.length})` : "");
  }

  #click({ canvas }, event) {
    const box = canvas.getBoundingClientRect();
    const far = (dot) => Math.hypot(dot.x - (event.clientX - box.left), dot.y - (event.clientY - box.top));
    const nearest = (canvas.dots ?? []).reduce((best, dot) => (far(dot) < far(best) ? dot : best), canvas.dots[0]);
    if (nearest && far(nearest) < 16) this.choose(nearest.block, nearest.head);
  }
}
