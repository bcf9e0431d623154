// What the keyboard does here: a dialog of the page's keys and those of the tab in front, opened by "?".

import { make, say } from "./words.js";

const EVERYWHERE = {
  "?": "These keys",
  "← →": "In the row of tabs: the tab before or after",
  "Tab, Shift+Tab": "To the next control, and back",
  "Esc": "Leave full screen, or close what is open",
};

export class Keys {
  /** front(): the tab in front, whose `keys` are {key: English sentence}. */
  constructor(front) {
    this.front = front;
    this.element = make("button.pl-action", { type: "button", hint: "Keys", label: "Keys", onclick: () => this.open() }, "?");
    this.own = make("dl.pl-keys");
    const close = make("button.pl-link", { type: "button", say: "Close", onclick: () => this.dialog.close() });
    this.dialog = make("dialog.pl-dialog.pl-keys-box", { label: "Keys" }, make(".pl-heading", {}, make("h2", { say: "Keys" }), close), this.own);
  }

  open() {
    const rows = Object.entries({ ...this.front()?.keys, ...EVERYWHERE });
    this.own.replaceChildren(...rows.flatMap(([key, text]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, say(text))]));
    this.dialog.showModal();
  }
}
