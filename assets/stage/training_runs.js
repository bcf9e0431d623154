// The list of runs: what each is, how far it is, its place in the queue; ticked ones are compared.

import { card } from "./controls.js";
import { make, number, say } from "./words.js";

export const STATES = { waiting: "waiting", starting: "starting", running: "running", paused: "paused", stopped: "stopped", finished: "finished", failed: "failed", lost: "lost" };

/** What is said where a list leaves somebody out. */
export const DAMAGED = "Not listed, since what is written of them is damaged: {names}.";

export class Runs {
  /** choose(name); beside(name, on). */
  constructor({ choose, beside }) {
    Object.assign(this, { choose, beside, rows: new Map() });
    this.list = make(".pl-train-list", { role: "list", label: "Runs" });
    this.none = make("p.pl-note", { say: "No run yet. Choose a preset below and press Train." });
    this.damaged = make("p.pl-note", { role: "status", hidden: true });
    this.compared = make("span.pl-train-compared", { say: "compare" });
    this.element = card(make("h2", {}, make("span", { say: "Runs" }), this.compared), this.none, this.list, this.damaged);
    this.element.classList.add("pl-train-runs");
  }

  draw(jobs, chosen, besides, damaged = []) {
    this.none.hidden = jobs.length > 0;
    this.damaged.hidden = !damaged.length;
    this.damaged.textContent = damaged.length ? say(DAMAGED, { names: damaged.join(", ") }) : "";
    const names = jobs.map(({ name }) => name);
    if (names.join() !== [...this.rows.keys()].join()) {
      this.rows = new Map(names.map((name) => [name, this.rows.get(name) ?? this.#row(name)]));
      this.list.replaceChildren(...[...this.rows.values()].map(({ element }) => element));
    }
    for (const job of jobs) this.#fill(this.rows.get(job.name), job, chosen, besides);
    this.element.classList.toggle("pl-train-lonely", jobs.length < 2);
    const row = this.rows.get(chosen);
    if (row && chosen !== this.chosen) row.element.scrollIntoView({ block: "nearest" });
    this.chosen = row && chosen;
  }

  #row(name) {
    const title = make("span.pl-train-run-name", { title: name }, name);
    const state = make("span.pl-train-run-state");
    const meter = make("i");
    const tick = make("input", { type: "checkbox", label: "Compare", onchange: () => this.beside(name, tick.checked) });
    const button = make("button.pl-train-run", { type: "button", "aria-pressed": false, onclick: () => this.choose(name) }, title, state, make("span.pl-train-meter", {}, meter));
    return { element: make(".pl-train-run-row", { role: "listitem", "data-run": name }, button, tick), button, state, meter, tick };
  }

  #fill(row, job, chosen, besides) {
    row.button.setAttribute("aria-pressed", job.name === chosen);
    row.element.dataset.state = job.state;
    row.state.textContent = stateOf(job);
    row.meter.style.width = `${100 * job.share}%`;
    row.tick.checked = job.name === chosen ? besides.length > 0 : besides.includes(job.name);
    row.tick.disabled = job.name === chosen;
  }
}

/** "running, 40 %", "waiting, place 2", or that it begins: nothing that works is in its way. */
export function stateOf(job) {
  if (next(job)) return say("begins in a moment");
  if (job.state === "waiting") return say("waiting, place {place}", { place: job.place });
  if (job.state === "running") return say("running, {percent} %", { percent: number(Math.floor(100 * job.share)) });
  return say(STATES[job.state] ?? job.state);
}

/** What is said of a run where there are no pictures yet. */
export function untilPictures(job) {
  const { state, place } = job;
  if (next(job) || ["starting", "running"].includes(state)) return say("Pictures of the untrained network come first, in a moment.");
  if (state === "waiting") return say("It waits for its turn, place {place}: one run learns at a time on this machine.", { place });
  return say("It ended before its first picture.");
}

const next = ({ state, place, held }) => state === "waiting" && place === 1 && !held;
