// The page's address, with all that is set, for others: copied, or, where the browser lets no script copy, to be copied by hand.

import { link } from "./state.js";
import { make, say } from "./words.js";

const SAID = 1500; // milliseconds that the button says what it has done

export class LinkBox {
  constructor() {
    this.element = make("button.pl-action", { type: "button", say: "Link", hint: "Copy this page's address, with all that is set", onclick: () => this.#copy() });
    this.field = make("input.pl-text.pl-link-field", { type: "text", readonly: true, label: "Address of this page" });
    const close = make("button.pl-button", { type: "button", say: "Close", onclick: () => this.dialog.close() });
    const words = make("p", { say: "This browser lets no page copy here, as with any address that is neither https nor this machine's own. The address is selected: copy it with Ctrl+C, or ⌘C." });
    this.dialog = make("dialog.pl-dialog.pl-link-box", { label: "Link" }, words, this.field, close);
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(link());
    } catch {
      return this.#offer();
    }
    this.element.textContent = say("Copied");
    setTimeout(() => (this.element.textContent = say("Link")), SAID);
  }

  #offer() {
    this.field.value = link();
    this.dialog.showModal();
    this.field.focus();
    this.field.select();
  }
}
