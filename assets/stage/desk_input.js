// The desk's last card: how large a picture is fed and how it is fitted, with tokens, memory and time before the run.

import { card, factTable, segmented, slider } from "./controls.js";
import { get } from "./server.js";
import { desk, fitOf, setDesk } from "./state.js";
import { Turns } from "./turns.js";
import { make, number, say } from "./words.js";

const PATCHES_A_SIDE = 60;
const REST = 40; // milliseconds that the slider rests before a cost is asked

export class InputCard {
  /** fits: {value: title}. */
  constructor(fits) {
    this.facts = null;
    this.turns = new Turns();
    this.sizes = factTable({ size: "Size", patches: "Patches", tokens: "Tokens", pass: "One pass" });
    this.side = slider("Longer side of the input", { min: 96, max: 896, step: 14 }, (side) => this.#foresee(side), (side) => setDesk({ side }));
    this.fit = segmented("Fit", fits, (fit) => setDesk({ fit }), ".pl-fits");
    this.note = make("p.pl-note", { say: "This network takes one size only.", hidden: true });
    this.coming = make("p.pl-note", { say: "Tokens, memory and time are told here before the pass begins." });
    const heading = make(".pl-heading", {}, make("h2", { say: "Input" }), this.fit.element);
    this.element = card(heading, this.coming, this.sizes.element, this.side.element, this.note);
  }

  /** facts: what is known of the network and this picture, {shape, patch, multiple, fixed, cost}; null for nothing. */
  draw(facts) {
    this.facts = facts;
    this.fit.set(fitOf());
    const { multiple, patch, fixed, shape } = facts ?? {};
    for (const part of [this.sizes.element, this.side.element]) part.hidden = !facts;
    this.coming.hidden = Boolean(facts);
    this.note.hidden = !fixed;
    this.#still();
    if (!facts) return;
    const input = this.side.element;
    input.hidden = fixed;
    Object.assign(input, { min: multiple * Math.ceil((4 * patch) / multiple), max: Math.floor((PATCHES_A_SIDE * patch * (multiple > patch ? 4 : 1)) / multiple) * multiple, step: multiple });
    this.side.set(desk.side ?? Math.max(...shape));
    this.#foresee(Number(input.value));
  }

  /** Tokens, memory and time of a side that has not run yet. */
  #foresee(side) {
    const { shape, multiple, patch, fixed, cost } = this.facts;
    const factor = side / Math.max(...shape);
    const [height, width] = fixed ? shape : shape.map((length) => Math.max(1, Math.round((length * factor) / multiple)) * multiple);
    const [rows, columns] = [height / patch, width / patch];
    this.sizes.set({ size: `${width} × ${height}`, patches: `${columns} × ${rows} = ${number(rows * columns)}` });
    this.#still();
    const told = cost && height === shape[0] && width === shape[1];
    if (told) return this.#tell(cost);
    this.sizes.set({ tokens: "…", pass: "…" });
    this.soon = setTimeout(() => this.#ask(height, width), REST);
  }

  /** Nothing is asked of an input that is no longer the one. */
  #still() {
    clearTimeout(this.soon);
    this.turns.end("cost");
  }

  #tell({ tokens, seconds, bytes }) {
    const known = seconds !== null && bytes !== null;
    const pass = known && say("{seconds} s · {megabytes} MB", { seconds: number(seconds, 2), megabytes: number(Math.ceil(bytes / 1e6)) });
    this.sizes.set({ tokens: tokens === null ? "–" : number(tokens), pass: pass || "–" }); // rows that stay where they are
  }

  /** What a pass would cost; it stays open where the server has no answer to that. */
  #ask(height, width) {
    const values = { checkpoint: desk.checkpoint, patch: this.facts.patch, height, width };
    return this.turns.latest("cost", async (turn) => this.#tell(await turn((await turn(get("patchlight/cost", values, { signal: turn.signal }))).json())));
  }
}
