// What the mask lab says where a network cannot paint: why, and the networks that can.

import { setDesk } from "./state.js";
import { make, say } from "./words.js";

export class Refused {
  constructor() {
    this.element = make(".pl-mask-refused", { hidden: true });
  }

  /** facts: of the picture that came; `refused` with its fault, or not. */
  show(facts) {
    this.facts = facts;
    this.element.hidden = !facts.refused;
    if (!facts.refused) return;
    const offers = facts.able.map(({ id, title }) => make("button.pl-button", { type: "button", onclick: () => setDesk({ checkpoint: id, side: null }) }, title));
    this.element.replaceChildren(make("p", {}, say(facts.fault.template, facts.fault.facts)), make(".pl-buttons", {}, ...offers));
  }
}
