// The left side: what goes in. Picture, network and input size are chosen here once, for all tabs.

import { card, factTable } from "./controls.js";
import { InputCard } from "./desk_input.js";
import { NetworkDialog } from "./networks.js";
import { address } from "./server.js";
import { Webcam } from "./webcam.js";
import { desk, onDesk, setDesk } from "./state.js";
import { Turns } from "./turns.js";
import { make, number, onLanguage, say } from "./words.js";

const TWIN = "?random";
const EXAMPLES = { astronaut: "Astronaut", cat: "Cat", coffee: "Coffee", dahlia: "Dahlia", pavilion: "Pavilion", rocket: "Rocket", emoji: "Emoji", shapes: "Drawn shapes" };

/** Whether two ids name one network, or steps of one run, which differ in their weights alone. */
const alike = (...ids) => new Set(ids.map((id) => (id?.startsWith("run/") ? id.split("@")[0] : id))).size === 1;

export class Desk {
  /** examples: [{name, title}]. upload(file) resolves to {path}. tell(fault). local: false where names cannot be typed. tabs: [{name, title, needs}]. fits: {value: title}. */
  constructor({ examples, networks, upload, tell, local, tabs, fits }) {
    Object.assign(this, { examples, networks, upload, tell });
    this.facts = null;
    this.turns = new Turns();
    this.input = new InputCard(fits);
    this.dialog = new NetworkDialog({ networks, local, tabs, upload, choose: (checkpoint) => setDesk({ checkpoint, side: null }) });
    this.element = make("aside.pl-desk", { label: "What goes in" }, this.#picture(), this.#network(), this.input.element);
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

  /** What is known before the pass; what an earlier one told of the same network, or of its run at another step, stays. */
  foresee(facts) {
    const before = alike(this.facts?.checkpoint, facts.checkpoint) ? this.facts : {};
    this.setFacts({ ...before, ...facts });
  }

  draw() {
    this.#drawPicture();
    this.#drawNetwork();
    this.input.draw(this.#known());
  }

  // -- picture ---------------------------------------------------------------------------------------------------------

  #picture() {
    this.shown = make("img", { alt: "", hidden: true, onload: () => (this.shown.hidden = false) }); // a picture that is not there yet is no broken one
    this.file = make("input", { type: "file", accept: "image/*", hidden: true, onchange: () => this.#take([...this.file.files]) });
    this.drop = make("button.pl-drop", { type: "button", label: "Open another picture", hint: "Drop, paste or click to open another picture", onclick: () => this.file.click() }, this.shown, make("span.pl-drop-words", { say: "Drop, paste or click" }));
    for (const name of ["dragover", "drop"])
      document.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") this.#take([...event.dataTransfer.files]);
      });
    this.named = make("p.pl-note.pl-example-name", { "aria-hidden": "true" });
    this.frames = this.examples.map(({ name, title }) =>
      make("button.pl-example", { type: "button", hint: EXAMPLES[title] ?? title, label: EXAMPLES[title] ?? title, onclick: () => this.#example(name) }, make("img", { src: address(`patchlight/pictures/small/${name}`), alt: "" })),
    );
    const webcam = new Webcam((blob) => this.#take([new File([blob], "webcam.png", { type: "image/png" })]), this.tell);
    const camera = make("button.pl-link", { type: "button", say: "Webcam…", onclick: () => webcam.open() });
    const heading = make(".pl-heading", {}, make("h2", { say: "Picture" }), camera);
    return card(heading, this.drop, this.file, make(".pl-examples", { role: "group", label: "Examples", onpointerover: (event) => this.#name(event.target), onpointerleave: () => this.#name(null) }, ...this.frames), this.named, webcam.element);
  }

  #example(name) {
    this.turns.end("upload");
    this.own = null;
    setDesk({ picture: name });
  }

  async #take([file]) {
    if (!file) return;
    this.file.value = "";
    await this.turns.latest("upload", async (turn) => {
      const { path } = await turn(this.upload(file));
      this.own = URL.createObjectURL(file);
      setDesk({ picture: path });
    });
  }

  #drawPicture() {
    const example = this.examples.find(({ name }) => name === desk.picture);
    this.shown.src = example ? address(`patchlight/pictures/${desk.picture}`) : this.own ?? "";
    this.frames.forEach((frame, index) => frame.setAttribute("aria-pressed", this.examples[index].name === desk.picture));
    this.#name(null);
  }

  /** What the example that is pointed at shows, else the one that is fed. */
  #name(pointed) {
    const frame = pointed?.closest("button") ?? this.frames.find((one) => one.getAttribute("aria-pressed") === "true");
    this.named.textContent = frame?.title || say("A picture of yours");
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

  /** Facts of the network that is chosen, while there are such. */
  /** Of the desk's network, or of the same run at another step: that has the same shape, tokens and cost. */
  #known() {
    return alike(this.facts?.checkpoint, desk.checkpoint) ? this.facts : null;
  }

  #drawNetwork() {
    const known = this.#card();
    const told = this.#known();
    const ran = told?.layers ? told : null;
    const random = (desk.checkpoint ?? "").endsWith(TWIN);
    this.title.textContent = (told?.checkpoint === desk.checkpoint ? told?.title : null) ?? known.title; // of no other step
    const chips = [[known.source], [known.licence], [random && say("random weights"), "pl-warn"]];
    this.chips.replaceChildren(...chips.filter(([text]) => text).map(([text, kind]) => make(`span.pl-chip${kind ? `.${kind}` : ""}`, {}, text)));
    const parameters = told?.parameters ?? known.parameters;
    this.about.set({
      parameters: parameters ? say("{millions} M", { millions: number(parameters / 1e6, 3) }) : null,
      blocks: ran ? `${ran.layers.length} × ${span(ran.layers.map(({ heads }) => heads))}` : null,
      positions: ran ? say(ran.positions) : null,
    });
    this.trained.textContent = random ? say("Never trained: its weights are random.") : known.training ? say(known.training) : "";
    this.trained.title = this.trained.textContent;
    this.twin.setAttribute("aria-pressed", random);
  }
}

/** "6", or "3–24" where it changes from block to block. */
function span(counts) {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least}` : `${least}–${most}`;
}
