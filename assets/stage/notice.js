// The page's one place for sentences about what went wrong, in the reader's language.

import { make, onLanguage, say } from "./words.js";

export class Notice {
  constructor() {
    this.faults = [];
    this.said = make("span");
    const close = make("button.pl-close", { type: "button", label: "Close", onclick: () => this.tell() });
    this.element = make(".pl-notice", { role: "alert", hidden: true }, this.said, close);
    onLanguage(() => this.#draw());
  }

  /** A sentence each; none where all is well again. The picture stays as it was. */
  tell(...faults) {
    this.faults = faults;
    this.#draw();
  }

  #draw() {
    this.said.textContent = this.faults.map(({ template, facts }) => say(template, facts)).join(" ");
    this.element.hidden = !this.faults.length;
  }
}
