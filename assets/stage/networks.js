// The dialog in which a network is chosen: cards by family, searched by any word, or a name that is typed.

import { questions } from "./network_questions.js";
import { Told, get } from "./server.js";
import { ran, withRuns } from "./training_cards.js";
import { DAMAGED } from "./training_runs.js";
import { desk } from "./state.js";
import { Turns } from "./turns.js";
import { make, number, onLanguage, say } from "./words.js";

/** Why a tab that needs an ability has nothing to show of a network without it. */
const REASONS = {
  classifies: "Not in {tab}: it scores no classes",
  pools: "Not in {tab}: it has no attention pool",
  reconstructs: "Not in {tab}: it has no decoder for hidden patches",
  "zero-shot": "Not in {tab}: it reads no text",
};

const refused = (wrong) => {
  if (!(wrong instanceof Told)) throw wrong;
  return { said: [wrong.fault], id: null };
};

export class NetworkDialog {
  /** networks: {cards}. local: whether any name may be typed. tabs: [{name, title, needs}]. upload(file) → {path}. choose(id). */
  constructor({ networks, local, tabs, upload, choose }) {
    Object.assign(this, { networks, local, tabs, upload, choose, turns: new Turns() });
    this.search = make("input.pl-text", { type: "search", label: "Search networks", placeholder: "family, name, licence …", oninput: () => this.#draw(), onkeydown: (event) => event.key === "Enter" && this.#enter(event) });
    this.list = make(".pl-network-list", { role: "region", label: "Networks" });
    const close = make("button.pl-link", { type: "button", say: "Close", onclick: () => this.element.close() });
    const typed = make("p.pl-note", { say: "Or type an id and press Enter: timm/<name>, hf/<owner>/<name>, run/<name>, file/<path>.", hidden: !local });
    this.element = make("dialog.pl-dialog", { label: "Choose a network" }, make(".pl-heading", {}, make("h2", { say: "Choose a network" }), close), this.search, typed, local ? this.#doctor() : null, this.list);
    this.element.onclick = (event) => event.target === this.element && this.element.close();
    onLanguage(() => this.#draw());
  }

  open() {
    this.search.value = "";
    this.#draw();
    withRuns(this.networks.cards).then((cards) => {
      this.networks.cards = cards;
      this.#draw();
    });
    this.element.showModal();
    this.search.focus();
  }

  /** A file of weights is dropped: what it is, and a button that opens it. */
  #doctor() {
    const file = make("input", { type: "file", accept: ".safetensors", hidden: true, label: "File of weights", onchange: () => this.#examine(file) });
    const button = make("button.pl-link", { type: "button", say: "Check a file of weights…", onclick: () => file.click() });
    this.diagnosis = make("div.pl-diagnosis", { role: "status" });
    return make("div", {}, button, file, this.diagnosis);
  }

  async #examine(file) {
    const [chosen] = file.files;
    this.form = null;
    this.diagnosis.replaceChildren(make("p.pl-note", { say: "The file is being looked at." }));
    await this.#diagnose(async (signal) => this.#told((await this.upload(chosen)).path, "", signal));
    file.value = "";
  }

  /** looked(signal) resolves to what the server says of a file; a refusal is said here as well, since the dialog covers the page. */
  async #diagnose(looked) {
    await this.turns.latest("doctor", async (turn) => {
      const { said, id } = await turn(looked(turn.signal).catch(refused));
      const lines = said.map(({ template, facts }) => make("p", {}, say(template, facts)));
      const open = id && make("button.pl-button", { type: "button", say: "Open this network", onclick: () => this.#take(id) });
      this.diagnosis.replaceChildren(...lines, ...[open, id ? null : this.form].filter(Boolean));
    });
  }

  /** answers: "heads=12&grid=8x32", as in an id. A form whose answers are refused stays, with what was written in it. */
  async #told(path, answers, signal) {
    const found = await (await get("patchlight/doctor", { path, answers }, { signal })).json();
    const again = (more) => this.#diagnose((next) => this.#told(path, [answers, more].filter(Boolean).join("&"), next));
    if (found.asks.length) this.form = questions(found.asks, again);
    return found;
  }

  #enter(event) {
    event.preventDefault();
    const typed = this.search.value.trim();
    const first = this.list.querySelector(".pl-option");
    if (this.local && /^(timm|hf|run|file|bundled|registry)\/./.test(typed)) this.#take(typed);
    else if (first) first.click();
  }

  #take(id) {
    this.element.close();
    this.choose(id);
  }

  #draw() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (card) => words.every((word) => this.#shown(card).toLowerCase().includes(word));
    const called = (card) => words.every((word) => `${card.title} ${card.family}`.toLowerCase().includes(word));
    const far = (card) => (this.#reason(card) ? 4 : 0) + (called(card) ? 0 : 2) + (card.here || card.run ? 0 : 1); // what works here, is called so and is ready comes first
    const found = this.networks.cards.filter(fits).sort((a, b) => far(a) - far(b));
    const families = [...new Set(found.map(({ family }) => family))];
    this.list.replaceChildren(
      ...families.flatMap((family) => [make("h3", {}, family || say("Other")), ...found.filter((card) => card.family === family).map((card) => this.#option(card))]),
      ...(this.networks.damaged?.length ? [make("p.pl-note", {}, say(DAMAGED, { names: this.networks.damaged.join(", ") }))] : []),
      ...(found.length ? [] : [make("p.pl-note", { say: "No network of the list has all of these words." })]),
    );
  }

  /** All that a card says, which is what is searched. */
  #shown(card) {
    return [card.id, card.title, card.family, card.training ? say(card.training) : "", this.#figures(card)].join(" ");
  }

  #figures(card) {
    const figures = [card.parameters && say("{millions} M", { millions: number(card.parameters / 1e6, 3) }), card.patch && say("patch {patch}", { patch: card.patch }), card.side && say("{pixels} px", { pixels: String(card.side) }), card.licence];
    const where = card.run ? ran(card.run) : card.here ? say("on this machine") : card.download ? say("{megabytes} MB to download", { megabytes: number(Math.round(card.download / 1e6)) }) : say("to download");
    const gated = card.gated ? say("gated: needs an account") : "";
    return [...figures, where, gated].filter(Boolean).join(" · ");
  }

  #option(card) {
    const unable = this.#reason(card);
    return make(`button.pl-option${unable ? ".pl-unable" : ""}`, { type: "button", onclick: () => this.#take(card.id) },
      make("strong", {}, card.title),
      make("span", {}, card.training ? say(card.training) : card.id),
      make("span.pl-note", {}, this.#figures(card)),
      unable && make("span.pl-note.pl-reason", {}, unable),
    );
  }

  /** Why the tab in front has nothing to show of this network, or null. It may be chosen all the same, for other tabs. */
  #reason(card) {
    const tab = this.tabs.find(({ name }) => name === desk.tab);
    if (!tab?.needs || card.abilities.includes(tab.needs)) return null;
    return say(REASONS[tab.needs], { tab: say(tab.title) });
  }
}
