// The Train tab: asks the server once a second how runs do, remembers nothing that it could not ask again.

import { Told, address } from "./bundle.js";
import { exportBoard } from "./board.js";
import { Compare } from "./training_compare.js";
import { Columns, CurveSide } from "./training_curves.js";
import { Form } from "./training_form.js";
import { Head } from "./training_head.js";
import { Pictures } from "./training_pictures.js";
import { Runs } from "./training_runs.js";
import { Away, ask, post } from "./training_server.js";
import { nearest } from "./training_curve.js";
import { remember, setDesk } from "./state.js";
import { make, onLanguage, say } from "./words.js";

const EVERY = 1000; // milliseconds between two looks
const AGAIN = 400; // while the server is away
const PATIENCE = 6000; // after which a look counts as lost

export class Tab {
  constructor({ defaults, asked, tell }) {
    Object.assign(this, { defaults, tell, jobs: [], step: null, columns: new Map(), told: null });
    this.view = { ...defaults, ...asked };
    this.form = new Form({ started: (name) => this.#open(name), tell });
    this.runs = new Runs({ choose: (name) => this.#open(name), beside: (name, on) => this.#beside(name, on) });
    this.head = new Head({ act: (name) => this.#act(name, this.view.run), copy: () => this.form.copy(this.job) });
    this.pictures = new Pictures({ ask: (changes) => this.ask(changes), choose: (step) => this.#choose(step), explore: (step) => this.#explore(step) });
    this.curves = new CurveSide({ ask: (changes) => this.ask(changes), go: (value) => this.#go(value) });
    this.compare = new Compare({ evaluate: (name) => this.#act("evaluate", name) });
    this.away = make("p.pl-train-away", { say: "The server is away; looking for it.", role: "status", hidden: true });
    this.empty = make(".pl-train-empty", { hidden: true }, make("h1", { say: "Watch a network learn" }), make("p", { say: "Choose a preset at the left and press Train: its loss, its health and its pictures appear here, from the untrained network on." }));
    this.soon = make("p.pl-train-empty", { say: "Pictures of the untrained network come first, in a moment.", hidden: true });
    const left = make("aside.pl-train-left", { label: "What goes in" }, this.runs.element, this.form.element);
    const middle = make("main.pl-middle.pl-train-middle", {}, this.away, this.head.element, this.empty, this.soon, this.pictures.element, this.compare.element);
    this.element = make(".pl-tab.pl-train", {}, left, middle, this.curves.element);
    onLanguage(() => this.draw());
  }

  /** The tab has come to the front: look from now on, for as long as it is there. */
  show() {
    this.form.load();
    this.#look();
  }

  /** The view's changes, from any control or the page's address. */
  ask(changes) {
    Object.assign(this.view, changes);
    const { checkpoint, ...own } = this.view; // that is the desk's
    remember(own, this.defaults);
    this.draw();
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
    return this.jobs.find(({ name }) => name === this.view.run) ?? null;
  }

  get #besides() {
    const known = this.jobs.map(({ name }) => name);
    return this.view.beside.split(",").filter((name) => name && name !== this.view.run && known.includes(name));
  }

  /** The address of the curves as numbers. */
  get numbers() {
    return address(this.address);
  }

  async exportPicture() {
    const sheet = this.pictures.sheet();
    if (sheet) await exportBoard(sheet, `${this.view.run}. ${this.pictures.caption.textContent}`, null, "patchlight-training.png");
  }

  // -- looking ---------------------------------------------------------------------------------------------------------

  async #look() {
    if (this.looking) return;
    this.looking = true;
    while (this.element.isConnected) {
      const wait = document.hidden ? EVERY : await this.#once();
      await new Promise((done) => {
        this.wake = done;
        setTimeout(done, wait);
      });
    }
    this.looking = false;
    this.pictures.stop();
  }

  /** One look; how long to rest afterwards. */
  async #once() {
    try {
      const { run } = this.view;
      if (run && !this.lost) await this.#watch(run);
      else await this.#list();
      this.away.hidden = true;
      this.draw();
      return EVERY;
    } catch (wrong) {
      if (wrong instanceof Told) return this.#gone(wrong.fault);
      if (!(wrong instanceof Away) && wrong.name !== "TimeoutError") throw wrong;
      this.away.hidden = false;
      return AGAIN;
    }
  }

  async #list() {
    const { runs, off } = await ask("runs", {}, AbortSignal.timeout(PATIENCE));
    this.#take(runs, off);
    if (!this.view.run && runs.length) {
      this.ask({ run: (runs.find(({ state }) => state === "running") ?? runs[0]).name });
      this.wake?.();
    }
    this.lost = false;
  }

  async #watch(run) {
    const columns = this.#columnsOf(run);
    const found = await ask("watch", { run, since: columns.since }, AbortSignal.timeout(PATIENCE));
    if (run !== this.view.run) return;
    columns.take(found);
    this.#take(found.facts.runs, found.facts.off);
    [this.kinds, this.shown] = [found.facts.kinds, found.facts.shown];
    this.address = found.facts.numbers;
    this.curves.say(found.facts.verdicts);
    this.curves.measured(found.facts.measured);
    for (const name of this.#besides) {
      const other = this.#columnsOf(name);
      other.take(await ask("curves", { run: name, since: other.since }, AbortSignal.timeout(PATIENCE)));
    }
    if (this.#besides.length) this.told = await ask("compare", { runs: [run, ...this.#besides].join(",") });
  }

  #take(runs, off) {
    this.jobs = runs;
    this.listed = true;
    this.form.setOff(off);
  }

  #columnsOf(run) {
    if (!this.columns.has(run)) this.columns.set(run, new Columns());
    return this.columns.get(run);
  }

  /** The run that the address names is not there, or not this visitor's. */
  #gone(fault) {
    if (!this.lost) this.tell(fault);
    this.lost = true;
    this.ask({ run: "" });
    return AGAIN;
  }

  // -- acting ----------------------------------------------------------------------------------------------------------

  #open(name) {
    this.step = this.kinds = null;
    this.lost = false;
    this.curves.zoom(null);
    this.ask({ run: name, beside: this.#besides.filter((other) => other !== name).join(",") });
    this.wake?.();
  }

  #beside(name, on) {
    const others = this.#besides.filter((other) => other !== name);
    this.told = null;
    this.ask({ beside: [...others, ...(on ? [name] : [])].join(",") });
    this.wake?.();
  }

  async #act(act, run) {
    try {
      await post("act", { act, run });
      if (act === "delete") {
        this.columns.delete(run);
        this.ask({ run: "" });
      }
    } catch (wrong) {
      this.tell(wrong instanceof Told ? wrong.fault : { template: "The server is away; looking for it.", facts: {} });
    }
    this.wake?.();
  }

  /** Pictures of one step, or of the newest from now on. */
  #choose(step) {
    this.step = step;
    this.draw();
  }

  /** The snapshot that is nearest to a place of the curves. */
  #go(value) {
    const steps = this.pictures.steps ?? [];
    if (!steps.length) return;
    const at = nearest(steps, this.#columnsOf(this.view.run).step(value, this.view.over));
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
    const { job, view } = this;
    const besides = this.#besides;
    this.runs.draw(this.jobs, view.run, besides);
    this.head.draw(job);
    this.empty.hidden = !this.listed || Boolean(job);
    this.soon.hidden = !(job && !job.kept.length && ["starting", "running", "waiting"].includes(job.state));
    this.compare.element.hidden = !besides.length;
    this.element.classList.toggle("pl-train-beside", besides.length > 0);
    const runs = job ? [view.run, ...besides].map((title) => ({ title, columns: this.#columnsOf(title) })) : [];
    if (job && this.kinds && !besides.length) this.pictures.show({ job, kinds: this.kinds, shown: this.shown, drawn: view.drawn, step: this.step });
    else this.pictures.element.hidden = true;
    this.curves.element.classList.toggle("pl-train-only", besides.length > 0);
    this.curves.lend(besides.length ? this.compare.element : null);
    if (job) this.curves.draw(runs, view, besides.length ? null : this.pictures.step);
    if (besides.length) this.compare.draw(runs, view, this.told, this.jobs);
    Object.assign(this.element.dataset, { run: job?.name ?? "", state: job?.state ?? "", step: job?.step ?? "" });
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("training.css", import.meta.url).href }));
