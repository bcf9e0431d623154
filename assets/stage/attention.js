// The attention tab: keeps what is asked, draws what is here, fetches what is not. Scrubbing never leaves the page.

import { Told, fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { caption, tokenName } from "./caption.js";
import { Charts } from "./charts.js";
import { gradient } from "./colours.js";
import { segmented } from "./controls.js";
import { exportPicture } from "./export.js";
import { Maps, massMask, meanDistance, quantile, split } from "./maps.js";
import { Question } from "./question.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { make, number, onLanguage, say } from "./words.js";

const REST = 60; // milliseconds that the pointer rests before a large grid's row is fetched

export class Attention {
  /** defaults: the declared parameters' own. asked: those of the page's address. tell(fault): the page's sentence. */
  constructor({ defaults, asked: values, tell }) {
    this.defaults = defaults;
    this.tell = tell;
    this.view = { ...defaults, ...values };
    this.maps = null;
    this.answers = new Map();
    this.pointed = null;
    this.#build();
    onLanguage(() => this.#words());
  }

  // -- what is shown ---------------------------------------------------------------------------------------------------

  /** A new picture or network has arrived. */
  async show(bundle) {
    const maps = new Maps(bundle);
    const image = new Image();
    image.src = new URL(maps.facts.addresses.picture, document.baseURI).href;
    await image.decode();
    this.maps = maps;
    this.answers.clear();
    this.charts.clear();
    const { view } = this;
    const layers = maps.layers;
    view.layer = Math.min(view.layer < 0 ? layers.length + view.layer : view.layer, layers.length - 1);
    if (view.head !== null && view.head >= layers[view.layer].heads) view.head = null;
    if (!this.#askable(view.query)) view.query = maps.facts.query;
    if (view.target !== null && !maps.facts.classes) view.target = null;
    this.stage.setPicture(image, maps.facts.shape[1] / maps.facts.shape[0]);
    this.element.classList.add("pl-filled");
    this.ask({});
    this.charts.fetch(maps.facts.addresses.figures);
  }

  /** The view's changes, from any control; fetches what they need and draws. */
  async ask(changes) {
    if (!this.maps) return Object.assign(this.view, changes);
    if (changes.layer !== undefined && this.view.head >= this.maps.layers[changes.layer].heads) changes.head = null;
    if (changes.query === "pool") changes.layer = this.maps.blocks - 1;
    Object.assign(this.view, changes);
    this.draw();
    await this.#arrive();
    this.#remember();
  }

  /** Draw soon, at most once a frame. */
  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.maps) this.#draw();
    });
  }

  resize() {
    if (this.stage.fit()) this.draw();
  }

  /** Blocks and heads by the arrow keys, or the query's patch where the picture has the focus. */
  key(event) {
    if (!this.maps || event.ctrlKey || event.metaKey || event.altKey) return;
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (down === undefined || event.target.matches("input, select, textarea, dialog *")) return;
    event.preventDefault();
    if (document.activeElement === this.stage.element) this.#stepQuery(down, right);
    else if (down) this.#stepHead(down);
    else this.#stepBlock(right);
  }

  async exportPicture() {
    if (this.maps) await exportPicture(this.stage, this.said.join(" "), { ...this.shown, table: this.view.table });
  }

  /** The address of the numbers behind what is shown. */
  get numbers() {
    const url = new URL(this.maps.facts.addresses.numbers, document.baseURI);
    for (const name of ["view", "layer", "head", "fusion", "query", "share", "discard", "target", "text"])
      if (this.view[name] !== null && this.view[name] !== "") url.searchParams.set(name, this.view[name]);
    return url.href;
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { maps, view } = this;
    const grid = maps.layers[view.layer].grid;
    const refused = maps.facts.refused[view.view];
    const map = refused ? null : this.#current();
    this.refusal.hidden = !refused;
    this.refusal.textContent = refused ? say(refused.template, refused.facts) : "";
    const scale = map ? this.#scale(map) : 0;
    const shownGrid = this.#whole() ? maps.layers[0].grid : grid;
    const mask = map && view.mark !== "off" ? massMask(map.values, view.share) : null;
    const inside = view.view === "from" || view.view === "to" ? maps.window(view.layer, view.query) : null;
    const drawn = { scale, table: view.table, opacity: view.opacity, smooth: view.smooth, mask: view.mark === "mask" ? mask : null };
    this.stage.drawMap(map?.values ?? null, shownGrid, drawn);
    this.stage.drawMarks(shownGrid, {
      mask: view.mark === "off" ? null : mask,
      window: inside,
      query: view.view === "class" ? null : maps.cell(view.layer, view.query),
      pointer: this.pointed && this.#cellOf(this.pointed, shownGrid),
    });
    this.shown = this.#describe(map, scale, mask);
    this.#drawStrips();
    this.#drawSide(map, mask);
    this.#drawWords(map, scale);
    this.charts.mark(view.layer, this.#whole() ? null : view.head);
  }

  /** The map on the stage: {values, prefix, peak, mass}, or null while it travels. */
  #current() {
    const { view, maps } = this;
    if (view.view === "rollout") return this.#rollout(view.layer);
    if (view.view === "class") return this.answers.get(this.#targetKey()) ?? null;
    return maps.map(view.layer, view.head, view.fusion, view.query, view.view);
  }

  #rollout(block) {
    const answer = this.answers.get(this.#rolloutKey(block)) ?? this.answers.get(this.#rolloutKey(null));
    const row = answer?.[`rollout.${block}`];
    return row ? split(row, this.maps.layers[0].prefix) : null;
  }

  #scale(map) {
    if (this.view.scaling === "clipped") return quantile(map.values, 0.99) || map.peak;
    if (this.view.scaling === "own" || this.#whole()) return map.peak;
    const { view, maps } = this;
    let peak = 0;
    for (let block = 0; block < maps.blocks; block++)
      for (let head = 0; maps.has(block, view.query) && head < maps.layers[block].heads; head++)
        peak = Math.max(peak, maps.map(block, head, null, view.query, view.view)?.peak ?? 0);
    return peak;
  }

  #drawStrips() {
    const { maps, view } = this;
    const frame = (map, grid, scale) => map && { values: map.values, grid, scale: scale ?? (view.scaling === "clipped" ? quantile(map.values, 0.99) || map.peak : map.peak), table: view.table, aspect: maps.facts.shape[1] / maps.facts.shape[0] };
    const shared = view.scaling === "shared" && this.shown.scale > 0 ? this.shown.scale : null;
    const whole = view.view === "class";
    const blocks = maps.layers.map((layer, block) => {
      if (view.view === "rollout") return frame(this.#rollout(block), layer.grid) ?? (this.maps.facts.rollout ? null : this.#blank(layer.grid));
      const head = view.head !== null && view.head < layer.heads ? view.head : null;
      return frame(maps.map(block, head, view.fusion, view.query, whole ? "from" : view.view), layer.grid, shared);
    });
    this.blockStrip.draw(blocks, whole ? null : view.layer);
    const { grid, heads } = maps.layers[view.layer];
    const direction = this.#whole() ? "from" : view.view;
    const all = Array.from({ length: heads }, (_, head) => frame(maps.map(view.layer, head, null, view.query, direction), grid, shared));
    this.headStrip.draw(all, this.#whole() ? null : view.head);
    this.strips.classList.toggle("pl-whole", whole);
    this.headStrip.element.classList.toggle("pl-idle", this.#whole());
    this.fusions.set(view.head === null && !this.#whole() ? view.fusion : "");
  }

  #blank(grid) {
    return { values: new Float32Array(grid[0] * grid[1]), grid, scale: 1, table: this.view.table, aspect: this.stage.aspect };
  }

  #drawSide(map, mask) {
    const { maps, view, question } = this;
    const layer = maps.layers[view.layer];
    question.set(view, maps.facts);
    question.setKept(map ? this.shown.count : null, map ? map.values.length : 0);
    const figures = this.shown.figures;
    const cell = maps.cell(view.layer, view.query);
    const looks = view.view === "from" && map && figures;
    const within = maps.window(view.layer, view.query);
    const most = Math.log2(within ? within.reduce((sum, one) => sum + one, 0) : layer.prefix + layer.grid[0] * layer.grid[1]);
    const single = view.head !== null || view.fusion === "mean";
    question.facts.set({
      entropy: looks && single ? say("{bits} of {most} bits", { bits: number(figures[0], 2), most: number(most, 3) }) : null,
      distance: looks ? (cell ? say("{pixels} px", { pixels: number(meanDistance(map.values, layer.grid, cell, this.#cellSide(layer)), 3) }) : say("no place")) : null,
      prefix: looks && layer.prefix && single ? `${number(100 * figures[1], 3)} %` : null,
      sum: view.view === "to" && figures ? number(figures[0], 3) : null,
    });
    this.#drawPointer(map);
  }

  #drawPointer(map) {
    const { maps, view, pointed, question } = this;
    if (!pointed || !map) return question.setPointer(null, 0, null);
    const grid = this.#whole() ? maps.layers[0].grid : maps.layers[view.layer].grid;
    const cell = this.#cellOf(pointed, grid);
    const query = `patch ${pointed.join(",")}`;
    const own = maps.here(query, "from") ? maps.map(view.layer, view.head, view.fusion, query, "from") : null;
    const preview = own && { values: own.values, grid: maps.layers[view.layer].grid, scale: own.peak, table: view.table, picture: this.stage.picture };
    question.setPointer(cell, map.values[cell[0] * grid[1] + cell[1]], preview);
  }

  #drawWords(map, scale) {
    this.said = map ? caption(this.maps.facts, this.shown) : [this.waiting ? say("This map is being worked out.") : ""];
    this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
    this.stage.element.setAttribute("aria-label", `${this.said[0]} ${say("Arrow keys move the query from patch to patch.")}`);
    this.bar.style.background = gradient(this.view.table, "to top");
    this.top.textContent = map ? number(scale, 2) : "";
  }

  #describe(map, scale, mask) {
    const { maps, view } = this;
    const layer = maps.layers[view.layer];
    const counted = map ? (mask ?? massMask(map.values, view.share)).reduce((sum, one) => sum + one, 0) : 0;
    return {
      ...view, scale, block: view.layer, heads: layer.heads, prefix: layer.prefix,
      scaling: this.#whole() && view.scaling === "shared" ? "own" : view.scaling,
      windowed: maps.window(view.layer, view.query) !== null,
      figures: this.#whole() || !maps.has(view.layer, view.query) ? null : maps.figures(view.layer, view.head, view.query, view.view),
      count: counted, kept: view.mark === "off" ? null : counted, patches: map?.values.length ?? 0,
      target: view.text || this.classNames?.get(view.target) || "",
    };
  }

  // -- what travels ----------------------------------------------------------------------------------------------------

  /** Fetch what the view needs and is not here; a newer question makes an older answer unimportant. */
  async #arrive() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const needed = this.#needed();
    if (!needed) return;
    this.waiting = true;
    this.element.classList.add("pl-busy");
    try {
      await needed();
    } catch (wrong) {
      if (!(wrong instanceof Told)) throw wrong;
      if (turn === this.turn) this.#refuse(wrong);
    } finally {
      if (turn === this.turn) {
        this.waiting = false;
        this.element.classList.remove("pl-busy");
        this.draw();
      }
    }
  }

  /** A function that fetches, or null where everything is here. */
  #needed() {
    const { maps, view } = this;
    if (maps.facts.refused[view.view]) return null;
    if (view.view === "class") return this.#neededClass();
    if (view.view === "rollout") {
      if (this.#rollout(view.layer)) return null;
      return () => this.#fetchRollout();
    }
    return maps.here(view.query, view.view) ? null : () => maps.fetch(view.query, view.view);
  }

  async #fetchRollout() {
    const { view, maps } = this;
    const block = maps.facts.whole ? null : view.layer;
    const key = this.#rolloutKey(block);
    const values = { query: view.query, fusion: view.fusion, discard: view.discard };
    const { arrays } = await fetchBundle(maps.facts.addresses.rollout, block === null ? values : { ...values, layer: block });
    this.answers.set(key, arrays);
  }

  #neededClass() {
    const { view, maps } = this;
    if (!maps.facts.classes && !(maps.facts.reads_text && view.text)) return null;
    if (this.answers.has(this.#targetKey())) return null;
    return async () => {
      const values = view.target === null && view.text ? { text: view.text } : view.target === null ? {} : { target: view.target };
      const { facts, arrays } = await fetchBundle(maps.facts.addresses.relevance, values);
      if (facts.classes.length) {
        this.classNames = new Map(facts.classes.map(({ index, name }) => [index, name]));
        view.target = facts.target;
        this.question.setClasses(facts.classes, facts.target);
      }
      this.answers.set(this.#targetKey(), split(arrays.relevance, maps.layers[0].prefix));
    };
  }

  #rolloutKey(block) {
    const { query, fusion, discard } = this.view;
    return `rollout ${query} ${fusion} ${discard} ${block}`;
  }

  #targetKey() {
    return `class ${this.view.target} ${this.view.target === null ? this.view.text : ""}`;
  }

  #refuse(told) {
    if (told.gone) this.onGone?.();
    else this.tell(told.fault);
  }

  // -- pointing --------------------------------------------------------------------------------------------------------

  #point(event) {
    if (!this.maps) return;
    const grid = this.maps.layers[0].grid;
    const cell = this.stage.cell(event, grid);
    if (String(cell) === String(this.pointed)) return;
    this.pointed = cell;
    this.draw();
    clearTimeout(this.rest);
    const query = cell && `patch ${cell.join(",")}`;
    if (cell && !this.maps.here(query, "from"))
      this.rest = setTimeout(() => this.maps.fetch(query, "from").then(() => this.draw(), (wrong) => wrong.gone && this.onGone?.()), REST);
  }

  #click(event) {
    const cell = this.maps && this.stage.cell(event, this.maps.layers[0].grid);
    if (!cell) return;
    const query = `patch ${cell.join(",")}`;
    this.ask({ query: query === this.view.query ? this.maps.facts.query : query });
  }

  #stepQuery(down, right) {
    const [rows, columns] = this.maps.layers[0].grid;
    const [row, column] = this.maps.cell(0, this.view.query) ?? [Math.floor(rows / 2) - down, Math.floor(columns / 2) - right];
    const next = [Math.min(rows - 1, Math.max(0, row + down)), Math.min(columns - 1, Math.max(0, column + right))];
    this.ask({ query: `patch ${next.join(",")}` });
  }

  #stepBlock(step) {
    const layer = Math.min(this.maps.blocks - 1, Math.max(0, this.view.layer + step));
    this.ask({ layer });
    this.blockStrip.follow(layer);
  }

  /** Through the heads and on to all of them together. */
  #stepHead(step) {
    const heads = this.maps.layers[this.view.layer].heads;
    const now = this.view.head === null ? heads : this.view.head;
    const next = (now + step + heads + 1) % (heads + 1);
    this.ask({ head: next === heads ? null : next });
    this.headStrip.follow(next === heads ? null : next);
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  /** Rollout and relevance speak of the whole network and the first block's grid. */
  #whole() {
    return this.view.view === "rollout" || this.view.view === "class";
  }

  #cellOf([row, column], grid) {
    const first = this.maps.layers[0].grid;
    return [Math.floor((row * grid[0]) / first[0]), Math.floor((column * grid[1]) / first[1])];
  }

  #cellSide(layer) {
    return this.maps.facts.shape[0] / layer.grid[0];
  }

  #askable(query) {
    if (Object.keys(this.maps.facts.rows).includes(query)) return true;
    const [kind, place] = (query || "").split(" ");
    if (kind === "prefix") return Number(place) < this.maps.layers[0].prefix;
    if (kind !== "patch") return false;
    const [row, column] = place.split(",").map(Number);
    const [rows, columns] = this.maps.layers[0].grid;
    return row < rows && column < columns;
  }

  #queryOptions() {
    const { facts, layers } = this.maps;
    const named = facts.names.map((name, index) => [`prefix ${index}`, tokenName(name)]);
    const special = Object.keys(facts.rows).filter((query) => !query.startsWith("prefix"));
    const words = { mean: say("mean over patches"), pool: say("attention pool") };
    const options = [...named, ...special.map((query) => [query, words[query]])];
    const cell = this.maps.cell(0, this.view.query);
    if (cell) options.push([this.view.query, say("patch {row}, {column}", { row: cell[0] + 1, column: cell[1] + 1 })]);
    return options;
  }

  #remember() {
    const { layer, query, target, ...rest } = this.view;
    const last = this.maps.blocks - 1;
    remember({ ...rest, target, layer: layer === last ? -1 : layer, query: query === this.maps.facts.query ? "auto" : query }, this.defaults);
    this.question.setQueries(this.#queryOptions());
    this.question.query.set(query);
  }

  #words() {
    this.blockStrip.words();
    this.headStrip.words();
    if (this.maps) this.#remember();
    this.charts.draw();
    this.draw();
  }

  #build() {
    this.stage = new Stage("Picture with attention map");
    this.question = new Question((changes) => this.ask(changes));
    this.blockStrip = new Strip("Block", "Block {number}", (layer) => this.ask({ layer }));
    this.headStrip = new Strip("Head", "Head {number}", (head) => this.ask({ head }));
    this.fusions = segmented("All heads together", { mean: "Mean of all", max: "Max of all", min: "Min of all" }, (fusion) => this.ask({ fusion, head: null }), ".pl-fusions");
    this.headStrip.end.append(this.fusions.element);
    this.strips = make(".pl-strips", {}, this.blockStrip.element, this.headStrip.element);
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    this.refusal = make("p.pl-refusal", { role: "status", hidden: true });
    this.bar = make("span.pl-bar");
    this.top = make("span.pl-top");
    const scale = make(".pl-scale", { "aria-hidden": "true" }, this.top, this.bar, make("span", {}, "0"));
    this.charts = new Charts((layer, head) => this.ask({ layer, head }));
    const figure = make("figure.pl-figure-box", {}, make(".pl-room", {}, this.stage.element, this.refusal), scale);
    const first = make(".pl-first", {}, figure, make(".pl-progress"), this.caption, this.strips);
    this.element = make(".pl-tab", {}, make("main.pl-middle", {}, first, this.charts.element), this.question.element);
    this.stage.element.addEventListener("pointermove", (event) => this.#point(event));
    this.stage.element.addEventListener("pointerleave", () => ((this.pointed = null), this.draw()));
    this.stage.element.addEventListener("click", (event) => this.#click(event));
    new ResizeObserver(() => this.resize()).observe(figure.firstChild);
  }
}
