// A small labelled set, scored while one looks: accuracy, what is taken for what, and whether the confidence is worth it.

import { fetchBundle } from "./bundle.js";
import { card, factTable, segmented, select } from "./controls.js";
import { themed } from "./colours.js";
import { drawCalibration } from "./zero_shot_calibration.js";
import { BINS, calibration, confusion, firsts, judged, wilson } from "./zero_shot_marks.js";
import { Sheet, stamps } from "./zero_shot_sheet.js";
import { ceiling } from "./zero_shot_read_outs.js";
import { confusionBoard } from "./zero_shot_confusion.js";
import { fixed, make, number, perCent, say } from "./words.js";

const SETS = { shapes: "Shapes, 64 names", held: "Shapes, those that occur", twemoji: "Emoji, Twemoji style", emojione: "Emoji, EmojiOne style", folder: "A folder of yours" };
const COUNTS = [50, 100, 200, 500, 1000];
const READ = { softmax: "Softmax", sigmoid: "Sigmoid" };
const WRONG = 14; // mistakes that are shown

export class LabelledSet {
  /** change(values). turns: of the tab. */
  constructor({ change, turns }) {
    Object.assign(this, { change, turns, cosines: [], truth: [], small: [] });
    this.curve = new Sheet(".pl-zero-sheet", "Accuracy over confidence", (...paper) => this.drawn && drawCalibration(...paper, this.drawn));
    this.table = confusionBoard((said) => (this.pointed.textContent = said));
    this.figures = factTable({ accuracy: "Accuracy", interval: "95 % interval", chance: "Chance", confidence: "Mean confidence", error: "Calibration error" });
    this.pointed = make("p.pl-note.pl-zero-pointed");
    this.mistakes = make(".pl-zero-mistakes", { role: "list", label: "Surest mistakes" });
    this.wrong = make(".pl-zero-wrong-row", {}, make("span.pl-strip-name", { say: "Surest mistakes" }), this.mistakes);
    this.wait = make("p.pl-zero-wait");
    this.element = make("section.pl-zero-set", { label: "Labelled set", hidden: true },
      make(".pl-zero-set-boards", {},
        make("figure.pl-zero-panel", {}, make("figcaption", { say: "Confusion: own label in rows, first label in columns" }), this.table.sheet.element, this.pointed),
        make("figure.pl-zero-panel", {}, make("figcaption", { say: "Calibration: right answers over confidence" }), this.curve.element, this.figures.element),
      ),
      this.wrong, this.wait,
    );
    this.side = this.#side();
  }

  #side() {
    this.sets = select("Labelled set", SETS, (name) => this.#choose(name));
    this.counts = select("Number of pictures", {}, (count) => this.change({ scored: Number(count) }));
    this.counts.fill(COUNTS.map((count) => [count, String(count)]));
    this.path = make("input.pl-text", { type: "text", label: "Path of the labelled folder", placeholder: "path of a folder", hidden: true, onchange: () => this.change({ set: this.path.value.trim() || "folder" }) });
    this.read = segmented("Read-out of the confidence", READ, (readOut) => this.#reading(readOut));
    this.progress = make("p.pl-note", { "aria-live": "polite" });
    this.go = make("button.pl-button", { type: "button", onclick: () => (this.running ? this.stop() : this.start()) });
    this.track = make(".pl-zero-progress", {}, make("i"));
    return card("Labelled set", make(".pl-zero-choices", {}, this.sets.element, this.counts.element, make("span.pl-note", { say: "pictures" })), this.path, make(".pl-zero-choices", {}, this.read.element, this.go), this.track, this.progress);
  }

  /** What is asked now; runs where it is new. asked: {set, scored, templates, ensemble}. */
  show(facts, asked) {
    const bundled = asked.set in SETS && asked.set !== "folder";
    Object.assign(this, { facts, asked });
    this.readOut ??= facts.read_out;
    this.read.set(this.readOut);
    this.sets.set(bundled ? asked.set : "folder");
    this.sets.element.querySelector("[value=folder]").hidden = !facts.local;
    this.counts.set(COUNTS.includes(asked.scored) ? asked.scored : "");
    this.path.hidden = bundled;
    const { set, scored, templates, ensemble } = this.asked;
    const key = JSON.stringify([facts.set, set, scored, templates, ensemble]);
    if (key === this.key) return this.draw();
    this.key = key;
    if (set === "folder") return this.#empty();
    return this.start();
  }

  start() {
    Object.assign(this, { cosines: [], predicted: [], truth: [], small: [], skipped: 0, score: null, drawn: null, labels: null, of: 0, at: 0 });
    return this.turns.latest("set", (turn) => this.#scored(turn), (busy) => {
      this.running = busy;
      this.change({}, true);
      this.#told();
    });
  }

  async #scored(turn) {
    const { set, scored, templates, ensemble } = this.asked;
    for (let start = 0; start === 0 || start < this.of; start += this.step) {
      this.#take(await turn(fetchBundle(this.facts.set, { set, scored, start, templates: templates.join("\n"), ensemble }, turn.signal)), start);
    }
  }

  stop() {
    this.turns.end("set");
  }

  reads(scale, bias) {
    Object.assign(this, { scale, bias });
    this.draw();
  }

  draw() {
    this.#told();
    if (this.element.hidden || !this.cosines.length) return;
    this.judgements = judged(this.cosines, this.predicted, this.truth, this.scale, this.bias, this.readOut);
    this.score = calibration(this.judgements);
    const end = ceiling(Math.max(...this.judgements.map(({ confidence }) => confidence)));
    this.drawn = calibration(this.judgements, BINS, end);
    const right = this.judgements.filter(({ right: hit }) => hit).length;
    const [low, high] = wilson(right, this.truth.length);
    this.right = right;
    const percent = (share) => `${perCent(share)} %`;
    const mean = this.judgements.reduce((sum, { confidence }) => sum + confidence, 0) / this.truth.length;
    Object.assign(this, { mean, low, high });
    this.figures.set({ accuracy: say("{share} %: {right} of {pictures}", { share: perCent(right / this.truth.length), right: number(right), pictures: number(this.truth.length) }), interval: `${perCent(low)} – ${percent(high)}`, chance: percent(1 / this.labels.length), confidence: percent(mean), error: percent(this.score.error) });
    this.curve.show();
    this.table.draw(confusion(this.judgements, this.truth, this.labels.length), this.labels);
    this.#mistakes();
  }

  /** Sentences under it; words: the explorer's. */
  said(words) {
    if (!this.score || !this.truth.length) return [];
    const { set } = this.asked;
    const facts = { labels: number(this.labels.length), right: number(this.right), pictures: number(this.truth.length), accuracy: perCent(this.right / this.truth.length), low: perCent(this.low), high: perCent(this.high), chance: perCent(1 / this.labels.length), confidence: perCent(this.mean), error: perCent(this.score.error), bins: BINS, skipped: number(this.skipped) };
    const told = [say(words.scored, facts), say(words.calibrated, facts), say(words[set] ?? words.folder)];
    if (this.readOut !== this.facts.read_out) told.push(say("Confidence is read by the other read-out than the one that the network was trained with."));
    const { end } = this.drawn;
    if (end < 1) told.push(say("No confidence is above {end} %, where the drawn axis ends: its bins are {wide} % wide, those of the error 10 %.", { end: number(100 * end), wide: number((100 * end) / BINS) }));
    if (this.skipped) told.push(say(words.skipped, facts));
    return told;
  }

  flat() {
    const [left, right] = [this.table.sheet.flat(), this.curve.flat()];
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [left.width + right.width, Math.max(left.height, right.height)];
    const context = sheet.getContext("2d");
    context.fillStyle = themed("ground");
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.drawImage(left, 0, 0);
    context.drawImage(right, left.width, 0);
    return sheet;
  }

  #choose(name) {
    this.path.hidden = name !== "folder";
    if (name === "folder" && !this.path.value) return this.path.focus();
    this.change({ set: name === "folder" ? this.path.value.trim() : name });
  }

  #reading(readOut) {
    this.readOut = readOut;
    this.read.set(readOut);
    this.change({}, true);
  }

  #empty() {
    Object.assign(this, { cosines: [], truth: [], labels: null, score: null, drawn: null });
  }

  #take({ facts, arrays }, start) {
    if (facts.labels) this.labels = facts.labels;
    const [pictures, labels] = arrays.cosine.shape;
    const rows = Array.from({ length: pictures }, (_, picture) => arrays.cosine.subarray(picture * labels, (picture + 1) * labels));
    this.cosines.push(...rows);
    this.predicted.push(...firsts(rows));
    this.truth.push(...arrays.truth);
    this.small.push(...stamps(arrays.small));
    this.skipped += facts.skipped;
    this.of = facts.of;
    this.step = facts.step;
    this.at = Math.min(start + facts.step, facts.of);
    this.change({}, true);
  }

  #told() {
    const { running, of, at } = this;
    const waits = !this.cosines.length;
    this.element.classList.toggle("pl-zero-empty", waits);
    this.wait.textContent = !waits ? "" : running ? say("The pictures are being made ready.") : say("No picture is scored; choose a set at the right.");
    this.go.textContent = say(running ? "Stop" : "Score again");
    this.track.classList.toggle("pl-zero-running", Boolean(running));
    this.track.firstElementChild.style.width = of ? `${(100 * at) / of}%` : "0";
    this.progress.textContent = !of ? "" : running ? say("{done} of {of}", { done: number(at), of: number(of) }) : at < of ? say("Stopped after {done} of {of}.", { done: number(at), of: number(of) }) : "";
  }

  #mistakes() {
    const wrong = this.judgements.map((one, picture) => ({ ...one, picture })).filter(({ right }) => !right);
    wrong.sort((a, b) => b.confidence - a.confidence);
    this.wrong.hidden = !wrong.length;
    const frame = ({ picture, predicted, confidence }) => {
      const told = say("Called “{said}”, {share} %; its label is “{own}”.", { said: this.labels[predicted], share: perCent(confidence), own: this.labels[this.truth[picture]] });
      return make("figure.pl-zero-mistake", { role: "listitem", title: told, "aria-label": told }, this.small[picture], make("span", {}, this.labels[predicted]), make("span", {}, `${fixed(100 * confidence, 0)} %`));
    };
    this.mistakes.replaceChildren(...wrong.slice(0, WRONG).map(frame));
  }
}
