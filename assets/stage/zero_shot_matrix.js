// Several pictures, in columns, against several texts, in rows: cosine, softmax either way, or sigmoid; the diagonal.

import { fetchBundle } from "./bundle.js";
import { card, segmented, select } from "./controls.js";
import { table, themed } from "./colours.js";
import { unread } from "./outside.js";
import { desk } from "./state.js";
import { font, lines, Sheet, stamps } from "./zero_shot_sheet.js";
import { fixed, make, number, perCent, say } from "./words.js";

const KINDS = { drawn: "Shapes, combinations held out", emoji: "Emoji, EmojiOne style", examples: "Example photographs", own: "Pictures of yours" };
const DRAWN = ["drawn", "emoji"]; // other ones with every seed
const VALUES = { cosine: "Cosine", texts: "Softmax over texts", pictures: "Softmax over pictures", sigmoid: "Sigmoid" };
const READINGS = {
  texts: "Softmax over texts: each picture's column sums to 100 %.",
  pictures: "Softmax over pictures: each text's row sums to 100 %.",
  sigmoid: "Sigmoid judges every pair alone, so that nothing sums to 100 %.",
};
const SHARES = { texts: "Picture {picture}, “{text}”: {share} % of the texts, cosine {cosine}.", pictures: "Picture {picture}, “{text}”: {share} % of the pictures, cosine {cosine}.", sigmoid: "Picture {picture}, “{text}”: {share} % by sigmoid, cosine {cosine}.", cosine: "Picture {picture}, “{text}”: cosine {cosine}." };
const TEXTS = 40; // labels that are shown at once
const LARGEST = 92; // pixels of a cell

export class Matrix {
  /** change(values). turns: of the tab. */
  constructor({ change, turns }) {
    Object.assign(this, { change, turns, added: [], value: "cosine" });
    this.sheet = new Sheet(".pl-zero-sheet.pl-zero-matrix-sheet", "Pictures in columns against texts in rows", (...paper) => this.#paint(...paper));
    this.values = segmented("Values of the matrix", VALUES, (value) => this.#read(value));
    this.pointed = make("p.pl-note.pl-zero-pointed", { "aria-live": "off" });
    this.element = make("section.pl-zero-matrix", { label: "Matrix", hidden: true }, make(".pl-zero-bar", {}, this.values.element, this.pointed), this.sheet.element);
    this.sheet.canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.sheet.canvas.addEventListener("pointerleave", () => this.#point(null));
    this.kinds = select("Pictures of the matrix", KINDS, (kind) => this.change({ matrix: kind }));
    this.again = make("button.pl-link", { type: "button", say: "Draw others", onclick: () => this.change({ drawing: this.asked.drawing + 1 }) });
    this.add = make("button.pl-button", { type: "button", say: "Add this picture", hint: "The picture at the left; its labels are those of this tab", onclick: () => this.#add([desk.picture]) });
    this.clear = make("button.pl-link", { type: "button", say: "Clear", onclick: () => this.#set([]) });
    this.count = make("p.pl-note");
    this.side = card("Pictures and texts", this.kinds.element, make(".pl-zero-matrix-more", {}, this.again, this.add, this.clear), this.count);
  }

  /** What is asked now; fetched where it is new. Resolves once it is drawn. */
  async show(address, asked) {
    this.asked = asked;
    this.kinds.set(asked.matrix);
    this.again.hidden = !DRAWN.includes(asked.matrix);
    this.add.hidden = this.clear.hidden = asked.matrix !== "own";
    if (asked.matrix === "own" && !this.added.length) this.added = [desk.picture];
    const query = { matrix: asked.matrix, drawing: asked.drawing, labels: asked.labels.slice(0, TEXTS).join("\n"), templates: asked.templates.join("\n"), ensemble: asked.ensemble, pictures: this.added.join("\n") };
    const key = JSON.stringify([address, query]);
    if (key !== this.key) await this.turns.latest("matrix", async (turn) => this.#take(key, await turn(fetchBundle(address, query, turn.signal))), (busy) => this.#wait(busy));
    else this.turns.end("matrix");
    this.draw();
  }

  /** The former matrix is not that of these pictures and texts: it is dimmed while another is made. */
  #wait(busy) {
    this.element.classList.toggle("pl-busy", busy);
    if (busy) Object.assign(this, { key: null, facts: null, cosine: null, at: null });
    this.pointed.textContent = "";
  }

  #take(key, found) {
    const { asked } = this;
    Object.assign(this, { key, facts: found.facts, cosine: found.arrays.cosine, small: stamps(found.arrays.small), at: null });
    const cut = asked.matrix === "own" && asked.labels.length > TEXTS;
    this.count.textContent = cut ? say("Pictures: {pictures}, texts: the first {texts} of {labels}.", { pictures: number(found.facts.pictures), texts: number(TEXTS), labels: number(asked.labels.length) }) : say("Pictures: {pictures}, texts: {texts}.", { pictures: number(found.facts.pictures), texts: number(found.facts.texts.length) });
    this.#point(null, true);
  }

  /** learned: {scale, bias} as they stand now. */
  read(scale, bias) {
    Object.assign(this, { scale, bias });
    this.draw();
  }

  get texts() {
    return this.facts?.texts ?? [];
  }

  get shares() {
    const [pictures, texts] = this.cosine.shape;
    const logit = (picture, text) => this.scale * this.cosine[picture * texts + text] + this.bias;
    const found = new Float64Array(pictures * texts);
    const softmax = (cells) => {
      const most = Math.max(...cells.map(([picture, text]) => logit(picture, text)));
      const powers = cells.map(([picture, text]) => Math.exp(logit(picture, text) - most));
      const sum = powers.reduce((total, power) => total + power, 0);
      cells.forEach(([picture, text], at) => (found[picture * texts + text] = powers[at] / sum));
    };
    const all = (count, cell) => Array.from({ length: count }, (_, at) => cell(at));
    if (this.value === "texts") for (let picture = 0; picture < pictures; picture++) softmax(all(texts, (text) => [picture, text]));
    else if (this.value === "pictures") for (let text = 0; text < texts; text++) softmax(all(pictures, (picture) => [picture, text]));
    else found.forEach((_, at) => (found[at] = this.value === "sigmoid" ? 1 / (1 + Math.exp(-this.scale * this.cosine[at] - this.bias)) : this.cosine[at]));
    return found;
  }

  /** Sentences under it; words: the explorer's. */
  said(words) {
    if (!this.facts) return [say("This matrix is being worked out.")];
    const facts = this.facts;
    const told = [say(words.matrix, { ...facts, texts: number(facts.texts.length) })];
    if (READINGS[this.value]) told.push(say(READINGS[this.value]));
    if (facts.paired) told.push(say(words.diagonal, facts));
    if (DRAWN.includes(facts.kind)) told.push(say(words[facts.kind], facts));
    return told;
  }

  draw() {
    this.values.set(this.value);
    if (this.cosine && !this.element.hidden) this.sheet.show();
  }

  flat() {
    return this.sheet.flat();
  }

  #read(value) {
    this.value = value;
    this.change({});
  }

  #add(names) {
    this.#set([...new Set([...this.added, ...names])].slice(0, 24));
  }

  #set(added) {
    this.added = added;
    this.change({});
  }

  #paint(context, width, height) {
    if (!this.cosine) return; // another one is on its way since this was asked for
    const [pictures, texts] = this.cosine.shape;
    const left = Math.min(0.36 * width, 330);
    const cell = Math.min(LARGEST, (width - left - 4) / pictures, (height - 4) / (texts + 1));
    const wide = Math.min(LARGEST * 1.3, (width - left - 4) / pictures);
    const high = Math.min(LARGEST, (height - cell - 8) / texts);
    this.place = { left, top: cell + 8, wide, high };
    const shares = this.shares;
    const span = this.value === "cosine" ? Math.max(...this.cosine.map(Math.abs), 0.01) : 1;
    this.small.forEach((one, picture) => context.drawImage(one, left + picture * wide + (wide - cell) / 2 + 2, 2, cell - 4, cell - 4));
    this.#texts(context, left, high);
    for (let picture = 0; picture < pictures; picture++)
      for (let text = 0; text < texts; text++) this.#cell(context, picture, text, shares[picture * texts + text], span);
    this.#marks(context, pictures, texts);
  }

  #texts(context, left, high) {
    const size = Math.max(9, Math.min(13, high * 0.42));
    [context.font, context.fillStyle, context.textAlign, context.textBaseline] = [font(size), themed("text"), "right", "middle"];
    const most = Math.max(1, Math.floor(high / (size * 1.2)));
    this.facts.texts.forEach((text, at) => {
      context.fillStyle = themed(unread(this.learnt, [text]).length ? "fault" : "text"); // words that it never read
      const told = lines(context, text, left - 12, Math.min(3, most));
      told.forEach((line, row) => context.fillText(line, left - 8, this.place.top + (at + 0.5) * high + (row - (told.length - 1) / 2) * size * 1.2));
    });
  }

  #cell(context, picture, text, share, span) {
    const { left, top, wide, high } = this.place;
    const [x, y] = [left + picture * wide, top + text * high];
    const signed = this.value === "cosine";
    const bytes = table(signed ? "diverging" : "viridis");
    const colour = 3 * Math.round(255 * Math.min(1, Math.max(0, signed ? 0.5 + share / span / 2 : share)));
    const [red, green, blue] = bytes.subarray(colour, colour + 3);
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(x + 1, y + 1, wide - 2, high - 2);
    if (wide < 26 || high < 12) return;
    context.fillStyle = 0.3 * red + 0.59 * green + 0.11 * blue > 140 ? "#14181f" : "#ffffff";
    [context.font, context.textAlign] = [font(Math.min(13, wide * 0.3, high * 0.6)), "center"];
    context.fillText(signed ? fixed(share, 2) : fixed(100 * share, wide < 40 ? 0 : 1), x + wide / 2, y + high / 2 + 1);
  }

  /** The diagonal, what comes first for each picture, and the cell that is pointed at. */
  #marks(context, pictures, texts) {
    const { left, top, wide, high } = this.place;
    const box = (picture, text, colour, line) => {
      [context.strokeStyle, context.lineWidth] = [colour, line];
      context.strokeRect(left + picture * wide + 1, top + text * high + 1, wide - 2, high - 2);
    };
    if (this.facts.paired) for (let own = 0; own < pictures; own++) box(own, own, themed("text"), 2);
    for (let picture = 0; picture < pictures; picture++) {
      let first = 0;
      for (let text = 1; text < texts; text++) if (this.cosine[picture * texts + text] > this.cosine[picture * texts + first]) first = text;
      context.beginPath();
      context.arc(left + (picture + 1) * wide - 8, top + first * high + 8, 3.2, 0, 2 * Math.PI);
      [context.fillStyle, context.strokeStyle, context.lineWidth] = ["#ffffff", "#14181f", 1.4];
      context.fill();
      context.stroke();
    }
    if (this.at) box(this.at[0], this.at[1], themed("pointer"), 2.5);
  }

  #point(event, again) {
    if (again) this.at = undefined;
    if (!this.cosine || (event && !this.place)) return;
    const box = this.sheet.canvas.getBoundingClientRect();
    const { left, top, wide, high } = this.place ?? {};
    const [pictures, texts] = this.cosine.shape;
    const at = event && [Math.floor((event.clientX - box.left - left) / wide), Math.floor((event.clientY - box.top - top) / high)];
    const inside = at && at[0] >= 0 && at[1] >= 0 && at[0] < pictures && at[1] < texts;
    if (!again && String(inside ? at : null) === String(this.at)) return;
    this.at = inside ? at : null;
    if (!again) this.sheet.draw();
    const place = inside && at[0] * texts + at[1];
    this.pointed.textContent = inside ? say(SHARES[this.value], { picture: at[0] + 1, text: this.facts.texts[at[1]], share: perCent(this.shares[place]), cosine: fixed(this.cosine[place], 3) }) : say("A dot marks the text that comes first for a picture.");
  }
}
