// A label's maps over the picture: three ways of comparing a text with patches, each with the random twin's beside it.

import { fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { gradient, thumbnail } from "./colours.js";
import { make } from "./words.js";
import { ends } from "./zero_shot_read_outs.js";

const WAYS = { none: "Picture", tokens: "Patch tokens", values: "Value path", gradient: "Gradient × attention" };
const HINTS = {
  none: "The picture as the network is fed it",
  tokens: "Last block's patches, read as the network reads its summary, though never trained for it",
  values: "The same without the last block's attention: each patch keeps its own value (MaskCLIP)",
  gradient: "Which tokens the cosine rests on, followed through all blocks (Chefer et al.)",
};
const COLOURS = "magma";

export class Heat {
  /** choose(way), drawn(): something has arrived. turns: of the tab. */
  constructor({ choose, turns, drawn }) {
    Object.assign(this, { turns, drawn, maps: new Map(), twin: false });
    this.stage = new Stage("The picture, and where the label is found");
    this.bar = make(".pl-bar");
    this.ends = { high: make("span"), low: make("span") };
    this.scale = make(".pl-scale", {}, this.ends.high, this.bar, this.ends.low);
    this.element = make("figure.pl-zero-figure", {}, make(".pl-room", {}, this.stage.element), this.scale);
    this.frames = [false, true].map((twin) => Object.keys(WAYS).filter((way) => !twin || way !== "none").map((way) => this.#frame(way, twin, choose)));
    this.button = make("button.pl-link", { type: "button", say: "Random twin", hint: "The same maps by the same network with random weights", onclick: () => this.#compare() });
    const under = make("span.pl-zero-frame"); // a twin has no picture of its own; its maps stand under those they belong to
    this.rows = [this.#row("Patches", this.frames[0].map(({ frame }) => frame), this.button), this.#row("Twin", [under, ...this.frames[1].map(({ frame }) => frame)], null)];
    this.rows[1].hidden = true;
    this.strips = make(".pl-strips", {}, ...this.rows, make("p.pl-note.pl-zero-trust", { say: "Patch tokens: what each patch stands for in the end. Value path: what each patch shows by itself; trust it for where. Gradient × attention: what the score rests on; trust it for why." }));
  }

  /** rgb: (height, width, 3) bytes. */
  setPicture(rgb, facts) {
    const [height, width] = rgb.shape;
    this.image = document.createElement("canvas");
    [this.image.width, this.image.height] = [width, height];
    const pixels = new ImageData(width, height);
    for (let at = 0; at < width * height; at++) pixels.data.set([rgb[3 * at], rgb[3 * at + 1], rgb[3 * at + 2], 255], 4 * at);
    this.image.getContext("2d").putImageData(pixels, 0, 0);
    Object.assign(this, { facts, grid: facts.grid ?? facts.layers.at(-1).grid, maps: new Map(), question: null, picked: false });
    this.button.hidden = !facts.twin;
    if (!facts.twin) this.twin = false;
    this.rows[1].hidden = !this.twin;
    this.shown = null;
    this.stage.setPicture(this.image, width / height);
    for (const { canvas, way } of this.frames.flat()) {
      [canvas.width, canvas.height] = [this.grid[1], this.grid[0]];
      if (way === "none") canvas.getContext("2d").drawImage(this.image, 0, 0, canvas.width, canvas.height);
    }
  }

  fit() {
    this.shown = null;
    if (this.image) this.stage.fit();
  }

  /** {label, templates, ensemble, patches}: what the maps are of; null for nothing. */
  wanted(question) {
    const { patches, ...asked } = question ?? { patches: "none" };
    this.patches = patches;
    const key = question && JSON.stringify(asked);
    if (key !== this.question) Object.assign(this, { question: key, asked, maps: new Map() });
    this.draw();
    if (question) this.#fill();
    else this.turns.end("heat");
  }

  /** The map that is shown, or null: {values, low, high, patches, label, twin}. */
  get map() {
    return this.maps.get(`${this.patches} ${this.twin && this.picked}`) ?? null;
  }

  draw() {
    if (!this.image) return;
    if (!this.stage.picture.width || this.stage.picture.width < 4) this.fit();
    const { map } = this;
    const shown = [map, this.stage.map.width, this.stage.map.height];
    if (!this.shown || shown.some((one, at) => one !== this.shown[at])) this.#drawMap(map);
    this.shown = shown;
    for (const { frame, canvas, way, twin } of this.frames.flat()) {
      const found = this.maps.get(`${way} ${twin}`);
      frame.classList.toggle("pl-zero-waiting", way !== "none" && !found);
      if (found && canvas.shown !== found) {
        thumbnail(canvas, raised(found), this.grid, found.high - found.low, COLOURS);
        canvas.shown = found;
      }
      frame.setAttribute("aria-checked", way === this.patches && twin === (this.twin && Boolean(this.picked)));
    }
  }

  #drawMap(map) {
    this.stage.drawMap(map && raised(map), this.grid, { scale: map ? map.high - map.low : 1, table: COLOURS, opacity: 0.82, smooth: false, mask: null });
    Object.assign(this.scale.style, { visibility: map ? "visible" : "hidden", height: this.stage.element.style.height });
    if (map) this.bar.style.background = gradient(COLOURS, "to top");
    if (map) [this.ends.low.textContent, this.ends.high.textContent] = ends(map.low, map.high);
  }

  /** Picture and map on one canvas, for the export. */
  flat() {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [this.stage.picture.width, this.stage.picture.height];
    for (const layer of [this.stage.picture, this.stage.map]) sheet.getContext("2d").drawImage(layer, 0, 0);
    return sheet;
  }

  /** Fetch what is missing, what is looked at first; a newer question ends an older one. */
  #fill() {
    return this.turns.latest("heat", (turn) => this.#filled(turn));
  }

  async #filled(turn) {
    const ways = ["tokens", "values", "gradient"].sort((a, b) => (b === this.patches) - (a === this.patches));
    for (const twin of this.twin ? [false, true] : [false])
      for (const patches of ways) {
        if (this.maps.has(`${patches} ${twin}`)) continue;
        const { label, templates, ensemble } = this.asked;
        const found = await turn(fetchBundle(this.facts.heat, { labels: label, templates, ensemble, patches, twin }, turn.signal));
        this.maps.set(`${patches} ${twin}`, { values: found.arrays.map, low: found.facts.low, high: found.facts.high, patches, label, twin });
        this.drawn();
      }
  }

  #compare() {
    this.twin = !this.twin;
    this.picked = false;
    this.rows[1].hidden = !this.twin;
    this.button.setAttribute("aria-pressed", this.twin);
    this.fit();
    this.drawn();
    this.#fill();
  }

  #frame(way, twin, choose) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const chosen = () => {
      this.picked = twin;
      choose(way);
    };
    const frame = make("button.pl-zero-frame", { type: "button", role: "radio", label: WAYS[way], hint: HINTS[way], "data-way": way, "data-twin": String(twin), onclick: chosen }, canvas, twin ? null : make("span", { say: WAYS[way] }));
    return { way, twin, canvas, frame };
  }

  #row(name, frames, end) {
    return make(".pl-strip", {}, make("span.pl-strip-name", { say: name }), make(".pl-film", { role: "radiogroup", label: name }, ...frames), make(".pl-film-end", {}, ...(end ? [end] : [])));
  }
}

const raised = ({ values, low }) => (low === 0 ? values : values.map((value) => value - low));
