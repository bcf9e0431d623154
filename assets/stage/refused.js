// What a tab says of a network that lacks what it needs: why, and the networks that have it.

import { setDesk } from "./state.js";
import { make, say } from "./words.js";

export class Refused {
  /** kind: class of the element. */
  constructor(kind) {
    this.element = make(`.pl-refused.${kind}`, { role: "status", hidden: true });
  }

  /** facts: of the picture that came; `refused` with its fault, or not. able: [{id, title, picture}] of other networks. */
  show({ refused, fault, able }) {
    this.element.hidden = !refused;
    if (!refused) return;
    const offer = ({ id, title, picture }) => make("button.pl-button", { type: "button", onclick: () => setDesk({ checkpoint: id, side: null, ...(picture ? { picture } : {}) }) }, title);
    this.element.replaceChildren(make("p", {}, say(fault.template, fault.facts)), make(".pl-buttons", {}, ...able.map(offer)));
  }
}
