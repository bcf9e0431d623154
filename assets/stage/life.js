// The life of a run under every tab: drag over the steps that were kept, play them, follow the newest one, put two runs
// side by side, keep it all as a film. It only changes which network the desk names; the tab in front draws as ever.

import { select, slider } from "./controls.js";
import { Pair } from "./life_pair.js";
import { filmed } from "./life_film.js";
import { Told, fault } from "./server.js";
import { desk, onDesk, setDesk } from "./state.js";
import { ask } from "./training_server.js";
import { Turns } from "./turns.js";
import { make, number, onLanguage, say } from "./words.js";

const LOOK = 1000; // ms between two looks at a run that learns
const STILL = 300; // ms that a step is looked at while playing, at least
const OWN = "training_run"; // the tab that shows a run's life itself
const LEARNING = ["waiting", "starting", "running"];

/** "run/<name>@<step>" to {name, step}, step null for the newest; null for any other network. */
export function lifeOf(checkpoint) {
  const [, name, step] = /^run\/([^@?]+)(?:@(\d+))?$/.exec(checkpoint ?? "") ?? [];
  return name ? { name, step: step === undefined ? null : Number(step) } : null;
}

export class Life {
  /** again(): draw the desk's network anew. shown(checkpoint): resolves when the tab in front shows it. capture(): its picture as a blob. */
  constructor({ tell, again, shown, capture }) {
    Object.assign(this, { tell, again, shown, capture, turns: new Turns(), runs: new Map(), name: null, playing: null });
    this.play = make("button.pl-button.pl-life-play", { type: "button", say: "Play", hint: "Show the run's steps one after another", onclick: () => this.#toggle() });
    this.bar = slider("Step", { min: 0, max: 1, step: 1 }, (place) => this.#drag(place));
    this.said = make("strong.pl-life-step", { role: "status" });
    this.newest = make("button.pl-button", { type: "button", say: "Newest", hint: "Follow the network of this minute", onclick: () => this.#go(null) });
    this.beside = select("Beside", [["", "Beside…", true]], (name) => this.#besides(name));
    this.film = select("Film", { "": "Film…", gif: "As GIF", mp4: "As MP4" }, (form) => this.#keep(form));
    this.element = make("section.pl-life", { label: "The run's life", hidden: true }, this.play, this.bar.element, this.said, this.newest, this.beside.element, this.film.element);
    this.pair = new Pair();
    document.body.append(this.pair.element);
    onDesk((changed) => (changed.includes("checkpoint") ? this.#turn() : document.body.classList.remove("pl-walking")));
    onDesk((changed) => changed.includes("tab") && this.#besides(""));
    onLanguage(() => this.#draw());
    this.#turn();
  }

  // -- which run, which step -------------------------------------------------------------------------------------------

  /** The desk names a network: a run's, or none. */
  #turn() {
    const life = lifeOf(desk.checkpoint);
    document.body.classList.toggle("pl-walking", Boolean(life) && life.name === this.name); // a step of a film, not another picture
    if (life?.name !== this.name) {
      this.#stop();
      this.#besides("");
      this.name = life?.name ?? null;
      if (this.name) this.#look();
      else this.turns.endAll();
    }
    this.#draw();
  }

  async #look() {
    clearTimeout(this.next);
    const { name } = this;
    try {
      const looked = await this.turns.latest("look", async (turn) => {
        const { runs } = await turn(ask("runs", {}, turn.signal));
        this.runs = new Map(runs.map((run) => [run.name, run]));
        const own = this.runs.has(name) && (await turn(ask("kept", { run: name }, turn.signal))); // weights alone have no life to show
        if (own) this.#arrived(own);
      });
      if (!looked) return;
    } catch (wrong) {
      if (!(wrong instanceof Told)) throw wrong; // the next look asks again
    }
    if (this.name && LEARNING.includes(this.run?.state)) this.next = setTimeout(() => this.#look(), LOOK);
    this.#draw();
  }

  #arrived(run) {
    const before = this.run?.name === run.name ? this.run.live : run.live;
    this.run = run;
    const idle = !document.body.classList.contains("pl-working");
    if (run.live !== before && desk.checkpoint === `run/${run.name}` && idle) this.#again();
  }

  /** The network of this minute, which takes the place of the one before as a film's next step does. */
  #again() {
    document.body.classList.add("pl-walking");
    this.again();
  }

  /** Steps that can be opened, of both runs where two are looked at. */
  get steps() {
    const other = this.runs.get(this.pair.name)?.kept ?? [];
    return [...new Set([...(this.run?.kept ?? []), ...other])].sort((one, two) => one - two);
  }

  #go(step) {
    setDesk({ checkpoint: named(this.run, step) });
    this.#pairUp(step);
  }

  #drag(place) {
    this.#stop();
    this.#go(this.steps[place] ?? null);
  }

  // -- playing ---------------------------------------------------------------------------------------------------------

  #toggle() {
    if (this.playing) return this.#stop();
    const playing = (this.playing = {});
    this.#walk(() => new Promise((resolve) => setTimeout(resolve, STILL)), playing).catch(() => this.#stop()); // the page has said why
  }

  /** From the first step to the last, or on from where the bar stands, with those that come meanwhile; `each(step)` when it is drawn. */
  async #walk(each, playing, from = this.#place() >= this.steps.length - 1 ? 0 : this.#place()) {
    this.#draw();
    for (let step = this.steps[from]; step !== undefined; step = this.steps.find((later) => later > step)) {
      if (this.playing !== playing) return false;
      this.#go(step);
      await (this.pair.open ? this.pair.shown() : this.shown(named(this.run, step)));
      if (this.playing !== playing) return false;
      await each(step);
    }
    this.#stop();
    return true;
  }

  #stop() {
    this.playing = null;
    this.#draw();
  }

  // -- film and pair ---------------------------------------------------------------------------------------------------

  async #keep(form) {
    this.film.set("");
    if (!form || this.playing) return;
    const playing = (this.playing = {});
    const pictures = [];
    const take = async () => pictures.push(await (this.pair.open ? this.pair.capture() : this.capture()));
    try {
      if (await this.#walk(take, playing, 0)) await filmed(pictures, this.#about(), form, this.name);
    } catch (wrong) {
      if (!wrong.fault) console.error(wrong);
      this.tell(wrong.fault ?? fault({ said: "The film could not be made; play the steps once, and try again." }));
    } finally {
      this.#stop();
    }
  }

  #about() {
    const names = this.pair.open ? `${this.name}, ${this.pair.name}` : this.name;
    return say("{tab} over the steps of {names}.", { tab: say(document.querySelector(".pl-tab-button[aria-selected=true]")?.dataset.say ?? ""), names });
  }

  #besides(name) {
    this.beside.set(name);
    if (name) this.pair.show(this.name, name);
    else this.pair.close();
    document.body.classList.toggle("pl-paired", this.pair.open);
    this.#pairUp(lifeOf(desk.checkpoint)?.step ?? null);
    this.#draw();
  }

  #pairUp(step) {
    if (this.pair.open) this.pair.go(named(this.run, step), named(this.runs.get(this.pair.name), step));
  }

  // -- words -----------------------------------------------------------------------------------------------------------

  #place() {
    const { step } = lifeOf(desk.checkpoint) ?? {};
    const at = this.steps.indexOf(step);
    return at < 0 ? this.steps.length - 1 : at;
  }

  #draw() {
    const there = Boolean(this.name && this.run?.name === this.name && this.steps.length) && desk.tab !== OWN;
    this.element.hidden = !there;
    document.body.classList.toggle("pl-living", there);
    if (!there) return;
    const { step } = lifeOf(desk.checkpoint) ?? {};
    this.bar.element.max = Math.max(1, this.steps.length - 1);
    this.bar.set(this.#place());
    this.bar.paint();
    this.said.textContent = this.#words(step ?? null);
    this.newest.setAttribute("aria-pressed", step === null);
    this.play.textContent = say(this.playing ? "Pause" : "Play");
    this.play.dataset.say = this.playing ? "Pause" : "Play";
    const others = [...this.runs.keys()].filter((name) => name !== this.name && this.runs.get(name).kept.length);
    if (others.join() !== this.others) this.beside.fill([["", "Beside…", true], ...others.map((name) => [name, name])]);
    this.others = others.join();
    this.beside.element.hidden = !others.length;
    this.beside.set(this.pair.name ?? "");
  }

  #words(step) {
    if (step === 0) return say("Untrained");
    const { live, steps, state } = this.run;
    const facts = { step: step ?? live ?? 0, steps };
    const now = step === null && LEARNING.includes(state);
    if (steps === null) return now ? say("Step {step}, live", facts) : say("Step {step}", facts);
    return now ? say("Step {step} of {steps}, live", facts) : say("Step {step} of {steps}", facts);
  }
}

/** The network of a run at a step, or the one before it where that step was not kept; null for the newest. */
function named(run, step) {
  if (step === null) return `run/${run.name}`;
  const before = run.kept.filter((kept) => kept <= step).at(-1) ?? run.kept[0];
  return `run/${run.name}@${before}`;
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("life.css", import.meta.url).href }));
