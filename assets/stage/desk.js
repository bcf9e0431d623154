// The left side: what goes in. Picture, network and input size are chosen here once, for all tabs.

import { address } from "./bundle.js";
import { card, factTable, slider } from "./controls.js";
import { NetworkDialog } from "./networks.js";
import { Webcam } from "./webcam.js";
import { desk, onDesk, setDesk } from "./state.js";
import { make, number, onLanguage, say } from "./words.js";

const TWIN = "?random";
const PATCHES_A_SIDE = 60;

export class Desk {
  /** examples: [{name, title}]. upload(file) resolves to {path}. tell(fault). local: false where names cannot be typed. */
  constructor({ examples, networks, upload, tell, local }) {
    Object.assign(this, { examples, networks, upload, tell });
    this.facts = null;
    this.dialog = new NetworkDialog({ networks, local, upload, choose: (checkpoint) => setDesk({ checkpoint, side: null }) });
    this.element = make("aside.pl-desk", { label: "What goes in" }, this.#picture(), this.#network(), this.#input());
    onDesk(() => this.draw());
    onLanguage(() => this.draw());
    document.addEventListener("paste", (event) => this.#take([...(event.clipboardData?.files ?? [])]));
    this.draw();
  }

  /** What the network that ran says of itself and of this picture. */
  setFacts(facts) {
    this.facts = facts;
    this.draw();
  }

  draw() {
    this.#drawPicture();
    this.#drawNetwork();
    this.#drawInput();
  }

  // -- picture ---------------------------------------------------------------------------------------------------------

  #picture() {
    this.shown = make("img", { alt: "" });
    this.file = make("input", { type: "file", accept: "image/*", hidden: true, onchange: () => this.#take([...this.file.files]) });
    this.drop = make("button.pl-drop", { type: "button", label: "Open another picture", hint: "Drop, paste or click to open another picture", onclick: () => this.file.click() }, this.shown, make("span.pl-drop-words", { say: "Drop, paste or click" }));
    for (const name of ["dragover", "drop"])
      document.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") this.#take([...event.dataTransfer.files]);
      });
    this.frames = this.examples.map(({ name, title }) =>
      make("button.pl-example", { type: "button", hint: title, label: title, onclick: () => this.#example(name) }, make("img", { src: address(`patchlight/pictures/small/${name}`), alt: "" })),
    );
    const webcam = new Webcam((blob) => this.#take([new File([blob], "webcam.png", { type: "image/png" })]), this.tell);
    const camera = make("button.pl-link", { type: "button", say: "Webcam…", onclick: () => webcam.open() });
    const heading = make(".pl-heading", {}, make("h2", { say: "Picture" }), camera);
    return card(heading, this.drop, this.file, make(".pl-examples", { role: "group", label: "Examples" }, ...this.frames), webcam.element);
  }

  #example(name) {
    this.own = null;
    setDesk({ picture: name });
  }

  async #take([file]) {
    if (!file) return;
    this.file.value = "";
    const { path } = await this.upload(file);
    this.own = URL.createObjectURL(file);
    setDesk({ picture: path });
  }

  #drawPicture() {
    const example = this.examples.find(({ name }) => name === desk.picture);
    this.shown.src = example ? address(`patchlight/pictures/${desk.picture}`) : this.own ?? "";
    this.frames.forEach((frame, index) => frame.setAttribute("aria-pressed", this.examples[index].name === desk.picture));
  }

  // -- network ---------------------------------------------------------------------------------------------------------

  #network() {
    this.title = make(".pl-network-title");
    this.chips = make(".pl-chips");
    this.about = factTable({ parameters: "Parameters", blocks: "Blocks × heads", positions: "Positions" });
    this.trained = make("p.pl-note.pl-trained");
    this.change = make("button.pl-button", { type: "button", say: "Change…", onclick: () => this.dialog.open() });
    this.twin = make("button.pl-button", { type: "button", say: "Random twin", hint: "The same network with random weights", onclick: () => this.#toggleTwin() });
    return card("Network", this.title, this.chips, this.about.element, this.trained, make(".pl-buttons", {}, this.change, this.twin), this.dialog.element);
  }

  #toggleTwin() {
    const { checkpoint } = desk;
    setDesk({ checkpoint: checkpoint.endsWith(TWIN) ? checkpoint.slice(0, -TWIN.length) : checkpoint + TWIN });
  }

  #card() {
    const id = (desk.checkpoint ?? "").replace(TWIN, "");
    return this.networks.cards.find((known) => known.id === id) ?? { id, title: id.split("/").slice(1).join("/"), source: id.split("/")[0], licence: "" };
  }

  #drawNetwork() {
    const known = this.#card();
    const ran = this.facts?.checkpoint === desk.checkpoint ? this.facts : null;
    const random = (desk.checkpoint ?? "").endsWith(TWIN);
    this.title.textContent = ran?.title ?? known.title;
    const chips = [[known.source], [known.licence], [random && say("random weights"), "pl-warn"]];
    this.chips.replaceChildren(...chips.filter(([text]) => text).map(([text, kind]) => make(`span.pl-chip${kind ? `.${kind}` : ""}`, {}, text)));
    const parameters = ran?.parameters ?? known.parameters;
    this.about.set({
      parameters: parameters ? say("{millions} M", { millions: number(parameters / 1e6, 3) }) : null,
      blocks: ran ? `${ran.layers.length} × ${span(ran.layers.map(({ heads }) => heads))}` : null,
      positions: ran ? say(ran.positions) : null,
    });
    this.trained.textContent = random ? say("Never trained: its weights are random.") : known.training ? say(known.training) : "";
    this.trained.title = this.trained.textContent;
    this.twin.setAttribute("aria-pressed", random);
  }

  // -- input size ------------------------------------------------------------------------------------------------------

  #input() {
    this.sizes = factTable({ size: "Size", patches: "Patches", pass: "One pass" });
    this.side = slider("Longer side of the input", { min: 96, max: 896, step: 14 }, (side) => this.#foresee(side), (side) => setDesk({ side }));
    this.note = make("p.pl-note", { say: "This network takes one size only.", hidden: true });
    return card("Input", this.sizes.element, this.side.element, this.note);
  }

  #drawInput() {
    const { multiple, patch, fixed, shape } = this.facts ?? {};
    if (!shape) return;
    const input = this.side.element;
    Object.assign(input, { min: multiple * Math.ceil(4 * patch / multiple), max: Math.floor((PATCHES_A_SIDE * patch * (multiple > patch ? 4 : 1)) / multiple) * multiple, step: multiple });
    input.hidden = fixed;
    this.note.hidden = !fixed;
    this.side.set(desk.side ?? Math.max(...shape));
    this.#foresee(Number(input.value));
  }

  /** Tokens, memory and time of a side that has not run yet. */
  #foresee(side) {
    const { shape, multiple, patch, fixed } = this.facts;
    const factor = side / Math.max(...shape);
    const [height, width] = fixed ? shape : shape.map((length) => Math.max(1, Math.round((length * factor) / multiple)) * multiple);
    const [rows, columns] = [height / patch, width / patch];
    this.sizes.set({ size: `${width} × ${height}`, patches: `${columns} × ${rows} = ${number(rows * columns)}`, pass: "…" });
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.#cost(height, width), 40);
  }

  async #cost(height, width) {
    const url = new URL(address("patchlight/cost"));
    for (const [name, value] of Object.entries({ checkpoint: desk.checkpoint, patch: this.facts.patch, height, width })) url.searchParams.set(name, value);
    const answer = await fetch(url);
    if (!answer.ok) return this.sizes.set({ pass: null });
    const { seconds, bytes } = await answer.json();
    this.sizes.set({ pass: say("{seconds} s · {megabytes} MB", { seconds: number(seconds, 2), megabytes: number(Math.ceil(bytes / 1e6)) }) });
  }
}

/** "6", or "3–24" where it changes from block to block. */
function span(counts) {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least}` : `${least}–${most}`;
}
