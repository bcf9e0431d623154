// Draws the attention tab: stage, caption, strips, side and charts, from the view that is asked and the maps that are here.

import { Stage } from "./canvas.js";
import { caption } from "./caption.js";
import { Charts } from "./charts.js";
import { gradient } from "./colours.js";
import { segmented } from "./controls.js";
import { massMask, meanDistance, quantile } from "./maps.js";
import { Question } from "./question.js";
import { Refused } from "./refused.js";
import { Strip } from "./strips.js";
import { make, number, say } from "./words.js";

const FUSIONS = { mean: "Mean of all", max: "Max of all", min: "Min of all" };

/** Rollout and relevance speak of the whole network and the first block's grid. */
export const isWhole = (view) => view.view === "rollout" || view.view === "class";

export class AttentionView {
  /** ask(changes): what a control wants changed. compared: Compared, with the other half of a pair. */
  constructor(ask, compared) {
    this.compared = compared;
    this.stage = new Stage("Picture with attention map");
    this.question = new Question(ask);
    this.blockStrip = new Strip("Block", "Block {number}", (layer) => ask({ layer }));
    this.headStrip = new Strip("Head", "Head {number}", (head) => ask({ head }));
    this.fusions = segmented("All heads together", FUSIONS, (fusion) => ask({ fusion, head: null }), ".pl-fusions");
    this.headStrip.end.append(this.fusions.element);
    this.strips = make(".pl-strips", {}, this.blockStrip.element, this.headStrip.element);
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    this.refusal = new Refused("pl-refusal");
    this.bar = make("span.pl-bar");
    this.top = make("span.pl-top");
    this.charts = new Charts((layer, head) => ask({ layer, head }));
    const scale = make(".pl-scale", { "aria-hidden": "true" }, this.top, this.bar, make("span", {}, "0"));
    this.room = make(".pl-room", {}, this.stage.element, this.refusal.element);
    const figure = make("figure.pl-figure-box", {}, this.room, scale);
    const first = make(".pl-first", {}, figure, make(".pl-progress"), this.caption, this.strips);
    this.element = make(".pl-tab", {}, make("section.pl-middle", {}, first, this.charts.element), this.question.element);
  }

  /** A new picture: image element, and the shape (height, width) that the network was fed. */
  setPicture(image, shape) {
    this.aspect = shape[1] / shape[0];
    this.stage.setPicture(image, this.aspect);
    this.element.classList.add("pl-filled");
  }

  /** maps: Maps. answers: Answers. view: what is asked. pointed: [row, column] on the first block's grid, or null. */
  draw({ maps, answers, view, pointed, waiting }) {
    Object.assign(this, { maps, answers, view });
    const refused = maps.facts.refused[view.view];
    const map = refused ? null : answers.current(view);
    this.grid = maps.layers[isWhole(view) ? 0 : view.layer].grid;
    const own = map ? this.#scale(map) : 0;
    this.scale = this.compared.shared(map && view.view, own);
    this.beside = this.compared.meets;
    const mask = map ? massMask(map.values, view.share) : null;
    this.shown = this.#describe(map, mask);
    this.#drawStage(map, mask, pointed);
    this.#drawStrips();
    this.#drawFigures(map);
    this.#drawPointer(map, pointed);
    this.#drawWords(map, refused, waiting);
    this.charts.mark(view.layer, isWhole(view) ? null : view.head);
  }

  words() {
    this.blockStrip.words();
    this.headStrip.words();
    this.charts.draw();
  }

  // -- parts -----------------------------------------------------------------------------------------------------------

  #drawStage(map, mask, pointed) {
    const { maps, view, grid } = this;
    const drawn = { scale: this.scale, table: view.table, opacity: view.opacity, smooth: view.smooth };
    this.stage.drawMap(map?.values ?? null, grid, { ...drawn, mask: view.mark === "mask" ? mask : null });
    this.stage.drawMarks(grid, {
      mask: view.mark === "off" ? null : mask,
      window: isWhole(view) ? null : maps.window(view.layer, view.query),
      query: view.view === "class" ? null : this.#placed(maps.cell(0, view.query)),
      pointer: this.#placed(pointed),
    });
  }

  #drawStrips() {
    const { maps, view, answers } = this;
    const direction = view.view === "to" ? "to" : "from";
    const blocks = maps.layers.map((layer, block) => {
      if (view.view === "rollout") return this.#frame(answers.rollout(view, block), layer.grid, maps.facts.refused.rollout);
      return this.#frame(maps.map(block, view.head < layer.heads ? view.head : null, view.fusion, view.query, direction), layer.grid);
    });
    const { grid, heads } = maps.layers[view.layer];
    const all = Array.from({ length: heads }, (_, head) => this.#frame(maps.map(view.layer, head, null, view.query, direction), grid));
    this.blockStrip.draw(blocks, view.view === "class" ? null : view.layer);
    this.headStrip.draw(all, isWhole(view) ? null : view.head);
    this.blockStrip.element.classList.toggle("pl-idle", view.view === "class");
    this.headStrip.element.classList.toggle("pl-idle", isWhole(view));
    this.fusions.set(view.head === null && !isWhole(view) ? view.fusion : "");
  }

  /** One frame of a strip. A rollout that has not been asked yet is blank and may be chosen. */
  #frame(map, grid, refused = false) {
    const { view, aspect } = this;
    if (!map && (view.view !== "rollout" || refused)) return null;
    const values = map?.values ?? new Float32Array(grid[0] * grid[1]);
    const scale = view.scaling === "shared" && !isWhole(view) ? this.scale : map ? this.#top(map, isWhole(view) || this.#cuts) : 1;
    return { values, grid, scale, table: view.table, aspect };
  }

  #drawFigures(map) {
    const { maps, view, question } = this;
    const layer = maps.layers[view.layer];
    const { figures } = this.shown;
    question.set(view, maps.facts);
    question.chooseClass(this.answers.target(view));
    question.setKept(map ? this.shown.count : null, this.shown.patches);
    const row = view.view === "from" && map && figures;
    const single = view.head !== null || view.fusion === "mean";
    question.facts.set({
      entropy: row && single ? say("{bits} of {most} bits", { bits: number(figures[0], 2), most: number(this.#mostBits(layer), 3) }) : null,
      distance: row ? this.#distance(map, layer) : null,
      prefix: row && layer.prefix && single ? `${number(100 * figures[1], 3)} %` : null,
      sum: view.view === "to" && figures ? number(figures[0], 3) : null,
    });
  }

  #mostBits(layer) {
    const inside = this.maps.window(this.view.layer, this.view.query);
    return Math.log2(inside ? inside.reduce((sum, one) => sum + one, 0) : layer.prefix + layer.grid[0] * layer.grid[1]);
  }

  #distance(map, layer) {
    const cell = this.maps.cell(this.view.layer, this.view.query);
    if (!cell) return say("no place");
    const pixels = meanDistance(map.values, layer.grid, cell, this.maps.facts.shape[0] / layer.grid[0]);
    return say("{pixels} px", { pixels: number(pixels, 3) });
  }

  #drawPointer(map, pointed) {
    const { maps, view, question, grid } = this;
    if (!pointed || !map) return question.setPointer(null, 0, null);
    const [row, column] = this.#placed(pointed);
    const own = maps.map(view.layer, view.head, view.fusion, `patch ${pointed.join(",")}`, "from");
    const ownGrid = maps.layers[view.layer].grid;
    const preview = own && { values: own.values, grid: ownGrid, scale: this.#top(own), table: view.table, picture: this.stage.picture };
    question.setPointer([row, column], map.values[row * grid[1] + column], preview);
  }

  #drawWords(map, refused, waiting) {
    this.refusal.show({ refused: Boolean(refused), fault: refused, able: this.maps.facts.able[this.view.view] });
    this.said = map ? caption(this.maps.facts, this.shown) : [waiting ? say("This map is being worked out.") : ""];
    this.top.textContent = map ? number(this.scale, 2) : "";
    if (this.painted !== this.view.table) this.bar.style.background = gradient((this.painted = this.view.table), "to top");
    if (this.told === this.said.join(" ")) return;
    this.told = this.said.join(" ");
    this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
    this.stage.element.setAttribute("aria-label", `${this.said[0]} ${say("Arrow keys move the query from patch to patch.")}`);
  }

  // -- numbers ---------------------------------------------------------------------------------------------------------

  /** Everything that a caption says, and the counts beside the sliders. */
  #describe(map, mask) {
    const { maps, view, scale } = this;
    const layer = maps.layers[view.layer];
    const count = mask ? mask.reduce((sum, one) => sum + one, 0) : 0;
    return {
      ...view, scale, count, block: view.layer, heads: layer.heads, prefix: layer.prefix,
      beside: this.beside, scaling: this.#scaling(map),
      windowed: maps.window(view.layer, view.query) !== null,
      figures: isWhole(view) || !map ? null : maps.figures(view.layer, view.head, view.query, view.view) ?? [sum(map), 0, sum(map)],
      kept: view.mark === "off" ? null : count,
      patches: map?.values.length ?? 0,
      target: this.answers.explained(view),
    };
  }

  /** The value that takes the table's last colour. */
  #scale(map) {
    const { maps, view } = this;
    if (view.scaling !== "shared" || isWhole(view)) return this.#top(map);
    let peak = 0;
    for (let block = 0; block < maps.blocks; block++)
      for (let head = 0; maps.has(block, view.query) && head < maps.layers[block].heads; head++)
        peak = Math.max(peak, maps.map(block, head, null, view.query, view.view)?.peak ?? 0);
    return peak;
  }

  get #cuts() {
    return this.view.scaling === "clipped";
  }

  #top(map, cut = this.#cuts) {
    return cut ? (map.cut ??= quantile(map.values, 0.99)) : map.peak;
  }

  /** What the map's scale is: the greatest value also where a percentile of few patches cuts nothing. */
  #scaling(map) {
    if (this.view.scaling === "shared" && !isWhole(this.view)) return "shared";
    return map && this.#cuts && this.#top(map) < map.peak ? "clipped" : "own";
  }

  /** A cell of the first block's grid on the grid that is shown. */
  #placed(cell) {
    const first = this.maps.layers[0].grid;
    return cell && cell.map((place, axis) => Math.floor((place * this.grid[axis]) / first[axis]));
  }
}

/** Of a column, prefix tokens included. */
const sum = ({ mass, prefix }) => prefix.reduce((total, value) => total + value, mass);
