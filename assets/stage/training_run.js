// The Train tab: runs and form at the left, pictures of the run in the middle, its curves at the right.

import { exportBoard } from "./board.js";
import { address, fault } from "./server.js";
import { Compare } from "./training_compare.js";
import { CurveSide } from "./training_curves.js";
import { Form } from "./training_form.js";
import { Head } from "./training_head.js";
import { Pictures } from "./training_pictures.js";
import { Runs, untilPictures } from "./training_runs.js";
import { nearest } from "./training_scale.js";
import { post } from "./training_server.js";
import { Watch } from "./training_watch.js";
import { remember, setDesk } from "./state.js";
import { make, onLanguage, say } from "./words.js";

export class Tab {
  keys = { "← →": "The step before or after" };

  constructor({ defaults, asked, tell }) {
    Object.assign(this, { defaults, tell, view: { ...defaults, ...asked } });
    this.form = new Form({ usual: defaults.preset, started: (name) => this.#open(name), tell, asks: (own) => this.ask(own) });
    this.form.ask(this.view);
    this.runs = new Runs({ choose: (name) => this.#open(name), beside: (name, on) => this.#beside(name, on) });
    this.head = new Head({ act: (name, more) => this.#act(name, this.view.run, more), copy: () => this.form.copy(this.job) });
    this.pictures = new Pictures({ ask: (changes) => this.ask(changes), choose: (step) => this.#choose(step), explore: (step) => this.#explore(step) });
    this.curves = new CurveSide({ ask: (changes) => this.ask(changes), go: (value) => this.#go(value) });
    this.compare = new Compare({ evaluate: (name) => this.#act("evaluate", name) });
    this.away = make("p.pl-train-away", { say: "The server is away; looking for it.", role: "status", hidden: true });
    this.begin = make("p", { say: "Choose a preset at the left and press Train: its loss, its health and its pictures appear here, from the untrained network on." });
    this.empty = make(".pl-train-empty", { hidden: true }, make("h2", { say: "Watch a network learn" }), this.begin);
    this.soon = make("p", { role: "status" });
    this.before = make(".pl-train-empty", { hidden: true }, this.soon);
    const left = make("aside.pl-train-left", { label: "What goes in" }, this.runs.element, this.form.element);
    const middle = make("section.pl-middle.pl-train-middle", {}, this.away, this.head.element, this.empty, this.before, this.pictures.element, this.compare.element);
    this.element = make(".pl-tab.pl-train", {}, left, middle, this.curves.element);
    this.watch = new Watch({
      wanted: () => ({ run: this.lost || this.leaving === this.view.run ? "" : this.view.run, besides: this.#besides }),
      there: () => this.element.isConnected,
      arrived: () => this.#arrived(),
      away: (is) => (this.away.hidden = !is),
      gone: (why) => this.#gone(why),
    });
    onLanguage(() => this.draw());
  }

  /** The tab has come to the front: look from now on, for as long as it is there. */
  async show() {
    this.form.load();
    this.watch.start().then(() => this.pictures.stop());
  }

  /** The view's changes, from any control or the page's address. */
  ask(changes) {
    Object.assign(this.view, changes);
    const { checkpoint, ...own } = this.view; // that is the desk's
    remember(own, this.defaults);
    this.form.ask(this.view);
    this.draw();
  }

  /** The step whose pictures are shown; null for the newest. */
  get step() {
    return this.view.frame < 0 ? null : this.view.frame;
  }

  resize() {
    this.draw();
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea, dialog *")) return;
    event.preventDefault();
    this.pictures.walk(by);
  }

  get job() {
    return this.watch.jobs.find(({ name }) => name === this.view.run) ?? null;
  }

  get #besides() {
    const known = this.watch.jobs.map(({ name }) => name);
    return this.view.beside.split(",").filter((name) => name && name !== this.view.run && known.includes(name));
  }

  /** The address of the curves as numbers. */
  get numbers() {
    return address(this.watch.run.numbers);
  }

  async exportPicture() {
    const sheet = this.pictures.sheet();
    if (sheet) return exportBoard(sheet, `${this.view.run}. ${this.pictures.caption.textContent}`, null, "patchlight-training.png");
  }

  // -- which run -------------------------------------------------------------------------------------------------------

  /** The server has been heard: of no run that was asked for, the one that learns, or the newest, is shown. */
  #arrived() {
    const { jobs, off } = this.watch;
    this.form.load();
    this.form.setOff(off);
    this.begin.hidden = Boolean(off);
    this.runs.element.hidden = Boolean(off) && !jobs.length;
    this.lost = false;
    if (!this.view.run && jobs.length) this.#open((jobs.find(({ state }) => state === "running") ?? jobs[0]).name);
    this.draw();
  }

  /** The run that the address names is not there, or not this visitor's. */
  #gone(why) {
    if (this.leaving === this.view.run) return; // it is being deleted
    if (!this.lost) this.tell(why);
    this.lost = true;
    this.ask({ run: "", frame: -1 });
  }

  #open(name) {
    this.watch.run = null;
    this.lost = false;
    this.curves.zoom(null);
    this.curves.forget();
    this.ask({ run: name, frame: -1, beside: this.#besides.filter((other) => other !== name).join(",") });
    this.watch.now();
  }

  #beside(name, on) {
    const others = this.#besides.filter((other) => other !== name);
    this.ask({ beside: [...others, ...(on ? [name] : [])].join(",") });
    this.watch.now();
  }

  // -- acting ----------------------------------------------------------------------------------------------------------

  async #act(act, run, more = {}) {
    if (act === "delete") this.leaving = run;
    try {
      await post("act", { act, run, ...more });
      this.tell();
      if (act === "delete") {
        this.watch.forget(run);
        this.ask({ run: "" });
      }
    } finally {
      this.leaving = null;
      this.watch.now();
    }
  }

  /** Pictures of one step, or of the newest from now on. */
  #choose(step) {
    this.ask({ frame: step ?? -1 });
  }

  /** The snapshot that is nearest to a place of the curves. */
  #go(value) {
    const steps = this.pictures.steps ?? [];
    if (!steps.length) return;
    const at = nearest(steps, this.watch.columnsOf(this.view.run).step(value, this.view.over));
    this.#choose(at === steps.length - 1 ? null : steps[at]);
  }

  /** Every explorer on this network: the newest from minute to minute, or the one that is held. */
  #explore(step) {
    const held = this.step === null ? "" : `@${step}`;
    setDesk({ checkpoint: `run/${this.view.run}${held}`, side: null });
    document.querySelector(".pl-tab-button[data-tab=attention]")?.click();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      this.#draw();
    });
  }

  #draw() {
    const { job, view, watch } = this;
    const besides = job ? this.#besides : [];
    this.runs.draw(watch.jobs, view.run, besides, watch.damaged);
    this.head.draw(job);
    this.empty.hidden = !watch.listed || Boolean(job);
    this.before.hidden = !job || job.kept.length > 0 || besides.length > 0;
    if (job) this.soon.textContent = untilPictures(job);
    this.compare.element.hidden = !besides.length;
    this.element.classList.toggle("pl-train-beside", besides.length > 0);
    this.element.classList.toggle("pl-train-none", !job);
    this.curves.set(view);
    this.curves.lend(besides.length ? this.compare.element : null);
    this.pictures.element.hidden = !job || besides.length > 0;
    if (besides.length) this.compare.draw(this.#series(besides), view, watch.told, watch.jobs);
    else if (job) this.#alone(job);
    Object.assign(this.element.dataset, { run: job?.name ?? "", state: job?.state ?? "", step: job?.step ?? "" });
  }

  /** One run: its pictures, its curves, what its meters say. */
  #alone(job) {
    const { view, watch } = this;
    if (watch.run) {
      this.#kept(job);
      this.pictures.show({ job, kinds: watch.run.kinds, shown: watch.run.shown, drawn: view.drawn, step: this.step });
      this.curves.say(watch.run);
      this.curves.measured(watch.run.measured);
    } else this.pictures.element.hidden = true;
    this.curves.draw(this.#series([]), view, this.pictures.step, watch.run?.recent);
  }

  /** A link names a step that was let go since, or never was: that is told, and the newest is shown. */
  #kept({ name, kept }) {
    if (this.step === null || !kept.length || kept.includes(this.step)) return;
    this.tell(fault({ said: "The run {name} keeps no network of step {step}; its newest is shown.", name, step: this.step }));
    this.ask({ frame: -1 });
  }

  #series(besides) {
    return [this.view.run, ...besides].map((title) => ({ title, columns: this.watch.columnsOf(title) }));
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("training.css", import.meta.url).href }));
