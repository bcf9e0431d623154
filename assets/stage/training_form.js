// The form of a new run: a preset, an objective, pictures, a size, the few settings that matter, and what it will cost.

import { Told } from "./bundle.js";
import { card, factTable, select } from "./controls.js";
import { Field } from "./training_field.js";
import { ask, post } from "./training_server.js";
import { make, number, onLanguage, say } from "./words.js";

const REST = 900; // milliseconds that the form rests before its cost is measured
const MATTER = ["steps"]; // engine's settings that matter whatever the objective
const OWN = ["side", "patch"];
const HUB = "hub/";
const FIRST = "90s mae";
const GROUPS = { time: "By time", diagonal: "Pictures and captions", lab: "Collapse lab" };

export class Form {
  /** started(name) once a run is queued; tell(fault). */
  constructor({ started, tell }) {
    Object.assign(this, { started, tell, declared: null, recipe: null, origin: null });
    this.name = make("input.pl-text", { type: "text", maxlength: 60, label: "Name of the run", placeholder: "name" });
    this.preset = select("Preset", [], (name) => this.#presetChosen(name));
    this.about = make("p.pl-note");
    this.objective = select("Objective", [], (objective) => this.#objectiveChosen(objective));
    this.meaning = make("p.pl-note");
    this.size = select("Network", [], (size) => this.#change({ size }));
    this.pictures = select("Pictures", [], (images) => this.#picturesChosen(images));
    this.place = make("input.pl-text", { type: "text", label: "Folder, table or name on the hub", hidden: true, onchange: () => this.#change({ images: this.place.value.trim() }) });
    this.file = make("input", { type: "file", accept: ".zip", hidden: true, label: "Archive of pictures", onchange: () => this.#upload() });
    this.fields = make(".pl-train-fields");
    this.rest = make(".pl-train-fields");
    this.more = make("details.pl-train-more", {}, make("summary", { say: "All settings" }), this.rest);
    this.cost = factTable({ parameters: "Parameters", step: "One step", memory: "Memory", time: "Whole run" });
    this.costNote = make("p.pl-note", { say: "Measured from a few real steps on this machine." });
    this.button = make("button.pl-button.pl-train-go", { type: "button", say: "Train", onclick: () => this.#start() });
    this.off = make("p.pl-train-off", { hidden: true, role: "status" });
    const row = (text, ...children) => make(".pl-train-row", {}, make("span.pl-name", { say: text }), ...children);
    this.body = make(".pl-train-form-body", {},
      row("Preset", this.preset.element), this.about, row("Objective", this.objective.element), this.meaning,
      row("Pictures", this.pictures.element), this.place, this.file, row("Network", this.size.element), this.fields, this.more);
    this.foot = make(".pl-train-foot", {}, this.cost.element, this.costNote, make(".pl-train-send", {}, this.name, this.button));
    this.element = card("New run", this.off, this.body, this.foot);
    this.element.classList.add("pl-train-form");
    onLanguage(() => this.declared && this.#fill());
  }

  /** Fetch what can be chosen, once; importing it takes the server a few seconds the first time. */
  async load() {
    if (this.declared || this.loading) return;
    this.loading = true;
    try {
      this.declared = await ask("form");
      this.#fill();
      this.#presetChosen(this.declared.presets.find(({ name }) => name === FIRST).name);
    } catch (wrong) {
      if (wrong instanceof Told) this.tell(wrong.fault);
    } finally {
      this.loading = false;
    }
  }

  /** fault: why nobody trains here, or null. */
  setOff(fault) {
    this.off.hidden = !fault;
    this.off.textContent = fault ? say(fault.template, fault.facts) : "";
    this.body.hidden = this.foot.hidden = Boolean(fault);
  }

  /** Everything as another run has it, to be changed and begun anew. */
  async copy(job) {
    await this.load();
    if (!this.declared) return;
    this.#own();
    this.recipe = structuredClone(job.recipe);
    this.name.value = job.name.slice(0, 60);
    this.#draw();
    this.name.focus();
  }

  // -- choices ---------------------------------------------------------------------------------------------------------

  get #method() {
    return this.declared.objectives.find(({ name }) => name === this.recipe.objective);
  }

  #fill() {
    const { objectives, sizes, datasets, presets } = this.declared;
    this.preset.element.replaceChildren(make("option", { value: "" }, say("own settings")), ...Object.entries(GROUPS).map(([group, label]) => make("optgroup", { label: say(label) }, ...presets.filter((preset) => preset.group === group).map(({ name, title }) => make("option", { value: name }, say(title.template, title.facts))))));
    this.objective.fill(objectives.map(({ name, title }) => [name, say(title)]));
    this.size.fill(Object.entries(sizes).map(([name, { width, depth }]) => [name, say("{name}: {depth} blocks of {width}", { name, depth, width })]));
    const places = this.declared.limits.public ? [] : [["path", say("a folder or table …")], ["hub", say("from the hub …")]];
    this.pictures.fill([...datasets.map(({ name }) => [name, name]), ["zip", say("upload a zip …")], ...places]);
    this.preset.set(this.chosen ?? "");
    if (this.recipe) this.#draw();
  }

  #presetChosen(name) {
    const preset = this.declared.presets.find((one) => one.name === name);
    this.chosen = name;
    this.about.textContent = preset ? say(preset.about.template, preset.about.facts) : "";
    if (!preset) return;
    this.recipe = structuredClone(preset.recipe);
    this.recipe.settings.steps = this.#allowed(this.recipe.settings.steps);
    this.name.value = preset.name;
    this.#draw();
    this.preset.set(name);
  }

  /** A recipe with every default written out, as the server would. */
  #whole(recipe) {
    const method = this.declared.objectives.find(({ name }) => name === recipe.objective);
    const defaults = (choices) => Object.fromEntries(choices.map((choice) => [choice.name, choice.default]));
    return {
      ...defaults(this.declared.recipe), ...recipe,
      options: { ...defaults(method.options), ...recipe.options },
      settings: { ...defaults(this.declared.settings), ...method.settings, ...recipe.settings },
    };
  }

  /** Another objective keeps pictures, network and length; its own options begin at their defaults. */
  #objectiveChosen(objective) {
    const { steps, batch, device, seed } = this.recipe.settings;
    const { options, settings, ...own } = this.recipe;
    this.#own();
    this.recipe = this.#whole({ ...own, objective, options: {}, settings: { steps, batch, device, seed } });
    this.name.value = objective;
    this.#draw();
  }

  #picturesChosen(images) {
    this.place.hidden = !["path", "hub"].includes(images);
    if (images === "zip") return this.file.click();
    if (!this.place.hidden) {
      this.place.value = images === "hub" ? HUB : "";
      this.place.focus();
    } else this.#change({ images });
  }

  async #upload() {
    const [file] = this.file.files;
    this.file.value = "";
    if (!file) return this.#draw();
    this.element.classList.add("pl-train-sending");
    try {
      const { images } = await post("upload", file);
      this.#change({ images });
    } catch (wrong) {
      if (wrong instanceof Told) this.tell(wrong.fault);
    } finally {
      this.element.classList.remove("pl-train-sending");
      this.#draw();
    }
  }

  /** No preset any more. */
  #own() {
    this.chosen = "";
    this.preset.set("");
    this.about.textContent = "";
  }

  #change(changes) {
    Object.assign(this.recipe, changes);
    this.#own();
    this.#draw();
  }

  #set(part, name, value) {
    const home = part ? this.recipe[part] : this.recipe;
    if (home[name] === value) return;
    home[name] = value;
    this.#own();
    this.#estimate();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  #draw() {
    const { recipe } = this;
    const method = this.#method;
    this.objective.set(recipe.objective);
    this.meaning.textContent = say(method.about);
    this.size.set(recipe.size);
    this.#drawPictures(recipe.images);
    const matters = [...OWN, ...MATTER, ...method.matters];
    const fields = [
      ...this.declared.recipe.filter(({ name }) => !["images", "size"].includes(name)).map((choice) => ["", choice]),
      ...method.options.map((choice) => ["options", choice]),
      ...this.declared.settings.map((choice) => ["settings", choice]),
    ].map(([part, choice]) => this.#field(part, choice, method.papers[choice.name]));
    const order = (field) => matters.indexOf(field.name);
    this.fields.replaceChildren(...fields.filter((field) => order(field) >= 0).sort((a, b) => order(a) - order(b)).map(({ element }) => element));
    this.rest.replaceChildren(...fields.filter((field) => order(field) < 0).map(({ element }) => element));
    this.#estimate();
  }

  #field(part, choice, paper) {
    const field = new Field(choice, paper, (name, value) => this.#set(part, name, value));
    field.set(part ? this.recipe[part][choice.name] : this.recipe[choice.name]);
    return field;
  }

  #drawPictures(images) {
    const named = this.declared.datasets.some(({ name }) => name === images);
    const kind = named ? images : images.startsWith(HUB) ? "hub" : images.includes(".uploads") ? "zip" : "path";
    this.pictures.set(kind);
    this.place.hidden = named;
    this.place.readOnly = kind === "zip";
    if (!named) this.place.value = images;
  }

  // -- cost ------------------------------------------------------------------------------------------------------------

  #estimate() {
    clearTimeout(this.soon);
    this.turn = (this.turn ?? 0) + 1;
    if (this.#preset?.gpu && !this.declared.gpu) return this.#without();
    this.cost.set({ parameters: "…", step: "…", memory: "…", time: "…" });
    this.costNote.dataset.say = "Being measured on this machine …";
    this.costNote.textContent = say(this.costNote.dataset.say);
    this.soon = setTimeout(() => this.#measure(this.turn), REST);
  }

  get #preset() {
    return this.declared.presets.find(({ name }) => name === this.chosen);
  }

  /** Made for a GPU that is not here: measuring alone would hold this machine up, so it is left to the reader. */
  #without() {
    this.cost.set({ parameters: null, step: null, memory: null, time: null });
    delete this.costNote.dataset.say;
    const measure = make("button.pl-link", { type: "button", say: "Measure anyway", onclick: () => this.#measure(this.turn) });
    this.costNote.replaceChildren(say("Made for a GPU, which this machine does not have; here it may take hours."), " ", measure);
  }

  async #measure(turn) {
    const preset = this.chosen ?? "";
    try {
      const found = await post("estimate", { recipe: this.recipe, preset });
      if (turn !== this.turn) return;
      if (found.steps) this.#fit(found.steps);
      this.costNote.dataset.say = found.busy ? "Measured from a few real steps, while a run was learning beside them. Alone it is faster." : "Measured from a few real steps on this machine.";
      this.costNote.textContent = say(this.costNote.dataset.say);
      this.#drawCost(found);
    } catch (wrong) {
      if (turn !== this.turn) return;
      this.cost.set({ parameters: null, step: null, memory: null, time: null });
      delete this.costNote.dataset.say;
      this.costNote.textContent = wrong instanceof Told ? say(wrong.fault.template, wrong.fault.facts) : say("The server is away; looking for it.");
    }
  }

  /** As many steps as fit the preset's time on this machine. */
  #fit(steps) {
    this.recipe.settings.steps = this.#allowed(steps);
    const input = this.fields.querySelector("[data-setting=steps]");
    if (input) input.value = this.recipe.settings.steps;
  }

  /** What a shared host allows of so many steps. */
  #allowed(steps) {
    return Math.min(steps, this.declared.limits.steps ?? steps);
  }

  #drawCost(found) {
    const { steps } = this.recipe.settings;
    this.cost.set({
      parameters: say("{millions} M", { millions: number(found.parameters / 1e6, 3) }),
      step: say("{seconds} s", { seconds: number(found.seconds_per_step, 2) }),
      memory: say("{megabytes} MB", { megabytes: number(Math.round(found.memory / 1e6)) }),
      time: duration(found.seconds_per_step * steps),
    });
  }

  async #start() {
    if (!this.recipe) return;
    this.button.disabled = true;
    try {
      const { name } = await post("start", { name: this.name.value.trim() || this.recipe.objective, recipe: this.recipe });
      this.started(name);
    } catch (wrong) {
      this.tell(wrong instanceof Told ? wrong.fault : { template: "The server is away; looking for it.", facts: {} });
    } finally {
      this.button.disabled = false;
    }
  }
}

/** A time in words: seconds below two minutes, minutes below two hours. */
export function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  if (seconds < 100) return say("{seconds} s", { seconds: number(Math.max(1, Math.round(seconds))) });
  if (seconds < 6000) return say("{minutes} min", { minutes: number(Math.round(seconds / 60)) });
  return say("{hours} h", { hours: number(Math.round(seconds / 360) / 10) });
}
