// A small table of answers by two figures: the network's, other networks', and the two that need no network.

import { language, make, number } from "./words.js";

/** Three digits, so that figures under one another end alike: 0.420, 11.0. */
export function figure(value) {
  if (!Number.isFinite(value) || Math.abs(value) < 1e-4 || value >= 1000) return number(value, 3);
  return new Intl.NumberFormat(language, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }).format(value);
}

export class Answers {
  /** columns: two English headings. choose(key) where a row's name can be clicked to stand beside the network. */
  constructor(columns, choose = null) {
    this.choose = choose;
    this.rows = [];
    const heads = columns.map((text) => make("th", { say: text, scope: "col" }));
    this.body = make("tbody");
    this.element = make("table.pl-mask-table", {}, make("thead", {}, make("tr", {}, make("td"), ...heads)), this.body);
  }

  /** rows: [{key, title, values: two texts, chosen}]; the first is the network's own, which has no key. */
  set(rows) {
    this.element.hidden = !rows.length;
    if (rows.map(({ key, title }) => `${key} ${title}`).join() !== this.known) this.#rebuild(rows);
    rows.forEach(({ values, chosen }, at) => {
      const { cells, name } = this.rows[at];
      cells.forEach((cell, column) => cell.textContent !== values[column] && (cell.textContent = values[column]));
      if (name.localName === "button") name.setAttribute("aria-pressed", Boolean(chosen));
    });
  }

  #rebuild(rows) {
    this.known = rows.map(({ key, title }) => `${key} ${title}`).join();
    this.rows = rows.map(({ key, title }) => {
      const clicked = this.choose && key;
      const name = clicked ? make("button", { type: "button", hint: "Show beside", onclick: () => this.choose(key) }, title) : make("span", {}, title);
      name.title = clicked ? `${title}. ${name.title}` : title;
      const cells = [make("td"), make("td")];
      return { name, cells, row: make("tr", {}, make("th", { scope: "row" }, name), ...cells) };
    });
    this.body.replaceChildren(...this.rows.map(({ row }) => row));
  }
}
