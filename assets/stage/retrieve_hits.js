// The pictures that were found, best first, as large as their room allows.

import { called } from "./galleries.js";
import { fixed, make, say } from "./words.js";

const GAP = 10;
const LABEL = 3.0; // em below each picture
const LEAST = 84; // pixels; smaller pictures are not drawn, the room is scrolled instead

export class Hits {
  /** choose(item) makes a picture of the gallery the query. */
  constructor({ choose }) {
    this.choose = choose;
    this.tiles = [];
    this.element = make(".pl-get-hits", { role: "list", label: "Pictures found" });
    new ResizeObserver(() => this.fit()).observe(this.element);
  }

  /** hits: [{item, name, russian, cosine, same}], addresses: of their pictures. */
  show(hits, addresses) {
    this.tiles.forEach(({ image }) => URL.revokeObjectURL(image.src));
    this.hits = hits;
    this.tiles = hits.map(({ item, cosine, same }, rank) => this.#tile(addresses[rank], item, cosine, same, rank));
    this.element.replaceChildren(...this.tiles.map(({ button }) => button));
    this.words();
    this.fit();
  }

  words() {
    this.tiles.forEach(({ name, score, button }, rank) => {
      const text = called(this.hits[rank]);
      name.textContent = text;
      score.children[1].textContent = fixed(this.hits[rank].cosine, 3);
      button.title = `${text} · ${this.hits[rank].name}\n${say("Click to look for what is like it")}`;
    });
  }

  /** The number of columns that makes the pictures largest. */
  fit() {
    const { clientWidth: wide, clientHeight: high } = this.element;
    const count = this.tiles.length;
    if (!count || !wide || !high) return;
    const label = LABEL * parseFloat(getComputedStyle(this.element).fontSize);
    const side = (columns) => Math.floor(Math.min((wide - GAP * (columns - 1)) / columns, (high - 4) / Math.ceil(count / columns) - GAP - label));
    const best = Array.from({ length: count }, (_, more) => more + 1).reduce((best, columns) => (side(columns) > side(best) ? columns : best), 1);
    const chosen = Math.max(LEAST, side(best));
    const columns = chosen > side(best) ? Math.max(1, Math.floor((wide + GAP) / (chosen + GAP))) : best;
    this.element.style.gridTemplateColumns = `repeat(${columns}, ${chosen}px)`;
    this.element.style.setProperty("--side", `${chosen}px`);
  }

  /** All on one canvas, for export. */
  flat() {
    const [side, gap, columns] = [220, 16, Math.min(6, this.tiles.length)];
    const sheet = document.createElement("canvas");
    const rows = Math.ceil(this.tiles.length / columns);
    [sheet.width, sheet.height] = [columns * (side + gap) - gap, rows * (side + 44 + gap) - gap];
    const context = sheet.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    this.tiles.forEach(({ image }, rank) => {
      const [left, top] = [(rank % columns) * (side + gap), Math.floor(rank / columns) * (side + 44 + gap)];
      const factor = Math.min(side / image.naturalWidth, side / image.naturalHeight);
      const [width, height] = [image.naturalWidth * factor, image.naturalHeight * factor];
      context.drawImage(image, left + (side - width) / 2, top + (side - height) / 2, width, height);
      context.fillStyle = "#14181f";
      context.font = "18px system-ui, 'DejaVu Sans', sans-serif";
      context.fillText(`${rank + 1} · ${fixed(this.hits[rank].cosine, 3)}`, left, top + side + 18, side);
      context.font = "15px system-ui, 'DejaVu Sans', sans-serif";
      context.fillText(called(this.hits[rank]), left, top + side + 38, side);
    });
    return sheet;
  }

  #tile(address, item, cosine, same, rank) {
    const image = make("img", { src: address, alt: "" });
    const name = make("bdi.pl-get-name");
    const score = make("span.pl-get-score", {}, make("b", {}, String(rank + 1)), make("span", {}, fixed(cosine, 3)), same ? make("i.pl-get-same", { label: "Means the same by the gallery's captions", hint: "Means the same by the gallery's captions" }, "=") : null);
    const button = make("button.pl-get-hit", { type: "button", role: "listitem", "data-item": item, onclick: () => this.choose(item) }, image, score, name);
    return { button, image, name, score };
  }
}
