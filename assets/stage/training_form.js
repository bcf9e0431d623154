// The form of a new run: a preset, an objective, pictures, a size, the few settings that matter, and what it will cost.

import { card, select } from "./controls.js";
import { Away, Told, fault, get } from "./server.js";
import { Cost, FORM } from "./training_cost.js";
import { Field } from "./training_field.js";
import { Source } from "./training_source.js";
import { ask, post } from "./training_server.js";
import { make, onLanguage, say } from "./words.js";

const MATTER = ["minutes", "steps"]; // engine's settings that matter whatever the objective; the clock or the steps
const OWN = ["side", "patch"];
const GROUPS = { time: "By time", diagonal: "Pictures and captions", lab: "Collapse lab" };

export class Form {
  /**
   * usual: the preset that it begins with. started(name) once a run is queued; tell(fault), or tell() once all is well;
   * asks({preset, recipe}), texts by which `ask` brings the same form again.
   */
  constructor({ usual, started, tell, asks }) {
    Object.assign(this, { usual, started, tell, asks, declared: null, recipe: null, wanted: { preset: usual, recipe: "" } });
    this.name = make("input.pl-text", { type: "text", maxlength: 60, label: "Name of the run", placeholder: "name" });
    this.preset = select("Preset", [], (name) => this.#presetChosen(name));
    this.about = make("p.pl-note");
    this.objective = select("Objective", [], (objective) => this.#objectiveChosen(objective));
    this.meaning = make("p.pl-note");
    this.size = select("Network", [], (size) => this.#change({ size }));
    this.source = new Source({ changed: (images) => this.#change({ images }), tell });
    this.fields = make(".pl-train-fields");
    this.rest = make(".pl-train-fields");
    this.more = make("details.pl-train-more", {}, make("summary", { say: "All settings" }), this.rest);
    this.cost = new Cost();
    this.button = make("button.pl-button.pl-train-go", { type: "button", say: "Train", onclick: () => this.#start() });
    this.off = make("p.pl-train-off", { hidden: true, role: "status" });
    const row = (text, ...children) => make(".pl-train-row", {}, make("span.pl-name", { say: text }), ...children);
    this.body = make(".pl-train-form-body", {},
      this.preset.element, this.about, row("Objective", this.objective.element), this.meaning,
      row("Pictures", this.source.kind.element), this.source.place, this.source.note, this.source.file, row("Network", this.size.element), this.fields, this.more);
    this.foot = make(".pl-train-foot", {}, this.cost.element, make(".pl-train-send", {}, this.name, this.button));
    this.element = card("New run", this.off, this.body, this.foot);
    this.element.classList.add("pl-train-form");
    onLanguage(() => this.declared && this.#fill());
  }

  /** Fetch what can be chosen, once; importing it takes the server a few seconds the first time. */
  async load() {
    if (this.declared || this.loading) return;
    this.loading = true;
    try {
      const networks = get("patchlight/networks").then((answer) => answer.json());
      [this.declared, this.networks] = await Promise.all([ask("form"), networks]);
      this.#fill();
      this.#show(this.wanted);
    } catch (wrong) {
      if (!(wrong instanceof Told)) throw wrong;
      if (!(wrong instanceof Away)) this.tell(wrong.fault); // the tab looks for a server that is away, and then asks again
    } finally {
      this.loading = false;
    }
  }

  /** What `asks` told of a form, from the page's address. */
  ask({ preset, recipe }) {
    const same = this.wanted.preset === preset && this.wanted.recipe === recipe;
    this.wanted = { preset, recipe };
    if (this.declared && !same) this.#show(this.wanted);
  }

  /** fault: why nobody trains here, or null. */
  setOff(fault) {
    this.off.hidden = !fault;
    this.off.textContent = fault ? say(fault.template, fault.facts) : "";
    this.body.hidden = this.foot.hidden = Boolean(fault);
    this.element.classList.toggle("pl-train-closed", Boolean(fault));
  }

  /** Everything as another run has it, to be changed and begun anew. */
  async copy(job) {
    await this.load();
    if (!this.declared) return;
    this.#label("");
    this.recipe = structuredClone(job.recipe);
    this.name.value = job.name.slice(0, 60);
    this.#renew();
    this.name.focus();
  }

  // -- as a link ---------------------------------------------------------------------------------------------------------

  #show({ preset, recipe }) {
    const read = recipe && this.#read(recipe);
    if (!read) return this.#presetChosen(this.declared.presets.some(({ name }) => name === preset) ? preset : this.usual);
    this.#label("");
    this.recipe = read;
    this.name.value = read.objective;
    this.#renew();
  }

  /** A whole recipe from what a link says of it: names that are declared, values of their kind. null where it says none. */
  #read(text) {
    try {
      const said = JSON.parse(text);
      const usual = this.#whole({ objective: this.declared.objectives.find(({ name }) => name === said.objective).name });
      const laid = (own, over = {}) => Object.fromEntries(Object.entries(own).map(([name, value]) => [name, typeof over[name] === typeof value && typeof value !== "object" ? over[name] : value]));
      return { ...laid(usual, said), options: laid(usual.options, said.options), settings: laid(usual.settings, said.settings) };
    } catch {
      this.tell(fault({ said: "The link's recipe could not be read; the form shows its preset." }));
      return null;
    }
  }

  /** What differs from the objective's defaults. */
  #written() {
    const { objective } = this.recipe;
    const usual = this.#whole({ objective });
    const differing = (own, other) => Object.fromEntries(Object.entries(own).filter(([name, value]) => typeof value !== "object" && value !== other[name]));
    const parts = { options: differing(this.recipe.options, usual.options), settings: differing(this.recipe.settings, usual.settings) };
    return JSON.stringify({ objective, ...differing(this.recipe, usual), ...Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length)) });
  }

  #tellLink() {
    this.wanted = this.chosen ? { preset: this.chosen, recipe: "" } : { preset: this.usual, recipe: this.#written() };
    this.asks(this.wanted);
  }

  // -- choices ---------------------------------------------------------------------------------------------------------

  get #method() {
    return this.declared.objectives.find(({ name }) => name === this.recipe.objective);
  }

  #fill() {
    const { objectives, sizes, datasets, presets, limits, upload } = this.declared;
    this.preset.element.replaceChildren(make("option", { value: "" }, say("own settings")), ...Object.entries(GROUPS).map(([group, label]) => make("optgroup", { label: say(label) }, ...presets.filter((preset) => preset.group === group).map(({ name, title }) => make("option", { value: name }, say(title.template, title.facts))))));
    this.objective.fill(objectives.map(({ name, title }) => [name, say(title)]));
    this.size.fill(Object.entries(sizes).map(([name, { width, depth }]) => [name, say("{name}: {depth} blocks of {width}", { name, depth, width })]));
    this.source.fill({ datasets, reads: this.declared.reads, elsewhere: !limits.public, upload });
    this.#label(this.chosen ?? "");
    if (this.recipe) this.#draw();
  }

  #presetChosen(name) {
    this.#label(name);
    if (!this.#preset) return;
    this.recipe = structuredClone(this.#preset.recipe);
    this.recipe.settings.steps = this.#allowed(this.recipe.settings.steps);
    this.name.value = name;
    this.#renew();
  }

  /** Under which preset the form stands; "" where something was changed since. */
  #label(name) {
    if (this.chosen && !name && this.name.value === this.chosen) this.name.value = this.recipe.objective; // it is that preset no longer
    this.chosen = name;
    this.preset.set(name);
    this.about.textContent = this.#preset ? say(this.#preset.about.template, this.#preset.about.facts) : "";
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

  /** Another objective keeps pictures, network and time; all else begins at its own defaults. */
  #objectiveChosen(objective) {
    const { minutes, device, seed } = this.recipe.settings;
    const { options, settings, ...own } = this.recipe;
    if (this.declared.objectives.find(({ name }) => name === objective).given) own.side = 0; // the network's own
    this.#label("");
    this.recipe = this.#whole({ ...own, objective, options: {}, settings: { minutes, device, seed } });
    this.name.value = objective;
    this.#renew();
  }

  #change(changes) {
    Object.assign(this.recipe, changes);
    this.#label("");
    this.#renew();
  }

  #set(part, name, value) {
    const home = part ? this.recipe[part] : this.recipe;
    if (home[name] === value) return;
    home[name] = value;
    this.#label("");
    this.#tellLink();
    if (name === "minutes") this.#draw(); // the clock and the steps take turns
    if (this.declared.free.includes(name)) this.cost.again(this.recipe);
    else this.#estimate();
  }

  /** Another recipe: drawn anew, and measured. */
  #renew() {
    this.#tellLink();
    this.#draw();
    this.#estimate();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  #draw() {
    const { recipe } = this;
    const method = this.#method;
    this.objective.set(recipe.objective);
    this.meaning.textContent = say(method.about);
    this.size.set(recipe.size);
    this.source.draw(recipe.images);
    const matters = [...OWN, ...MATTER, ...method.matters];
    this.size.element.parentElement.hidden = method.idle.includes("size");
    const fields = [
      ...this.declared.recipe.filter(({ name }) => !["images", "size"].includes(name)).map((choice) => ["", choice]),
      ...method.options.map((choice) => ["options", choice]),
      ...this.declared.settings.map((choice) => ["settings", choice]),
    ].filter(([, { name }]) => this.#does(name)).map(([part, choice]) => this.#field(part, choice, method.papers[choice.name]));
    const order = (field) => matters.indexOf(field.name);
    this.fields.replaceChildren(...fields.filter((field) => order(field) >= 0).sort((a, b) => order(a) - order(b)).map(({ element }) => element));
    this.rest.replaceChildren(...fields.filter((field) => order(field) < 0).map(({ element }) => element));
  }

  /** Whether a setting does anything for what is chosen: objective, pictures, the clock or steps. */
  #does(name) {
    const { declared, recipe } = this;
    if (this.#method.idle.includes(name) || (name === "steps" && recipe.settings.minutes > 0)) return false;
    return !declared.reads.all.includes(name) || this.source.reads(recipe.images).includes(name);
  }

  #field(part, choice, paper) {
    const field = new Field(choice, paper, (name, value) => this.#set(part, name, value), this.networks);
    field.set(part ? this.recipe[part][choice.name] : this.recipe[choice.name]);
    return field;
  }

  // -- cost ------------------------------------------------------------------------------------------------------------

  #estimate() {
    this.cost.ask(this.recipe, this.#preset, this.declared.gpu);
  }

  get #preset() {
    return this.declared.presets.find(({ name }) => name === this.chosen);
  }

  /** What a shared host allows of so many steps. */
  #allowed(steps) {
    return Math.min(steps, this.declared.limits.steps ?? steps);
  }

  async #start() {
    if (!this.recipe) return;
    this.#busy(true);
    this.cost.leave();
    try {
      const { name } = await post("start", { name: this.name.value.trim() || this.recipe.objective, recipe: this.recipe, form: FORM });
      this.tell();
      this.started(name);
    } finally {
      this.#busy(false);
    }
  }

  /** The press is seen at once, however long the server takes to answer. */
  #busy(is) {
    this.button.disabled = is;
    this.button.dataset.say = is ? "Begins …" : "Train";
    this.button.textContent = say(this.button.dataset.say);
  }
}
