// One header: the name, the tabs, and what concerns the whole page.

import { save } from "./export.js";
import { link } from "./state.js";
import { language, make, onLanguage, say, setLanguage } from "./words.js";

export class Header {
  /** tabs: [{name, title}]. open(name), present(), exportPicture(), exportNumbers() → address. */
  constructor({ tabs, open, present, exportPicture, exportNumbers }) {
    this.tabs = tabs.map(({ name, title }) =>
      make("button.pl-tab-button", { type: "button", role: "tab", say: title, "data-tab": name, onclick: () => open(name) }),
    );
    this.languages = ["en", "ru"].map((name) =>
      make("button", { type: "button", lang: name, "data-language": name, "aria-label": { en: `English`, ru: `Русский` }[name], onclick: () => setLanguage(name) }, name.toUpperCase()),
    );
    this.copied = make("button.pl-action", { type: "button", say: "Link", hint: "Copy this page's address, with all that is set", onclick: () => this.#copy() });
    const picture = make("button", { type: "button", say: "Picture with caption, PNG", onclick: () => this.#pick(exportPicture) });
    const numbers = make("button", { type: "button", say: "Numbers with caption, npz", onclick: () => this.#pick(() => save(exportNumbers(), "patchlight.npz")) });
    this.menu = make("details.pl-menu", {}, make("summary.pl-action", { say: "Export" }), make(".pl-menu-list", {}, picture, numbers));
    document.addEventListener("click", (event) => this.menu.contains(event.target) || this.menu.removeAttribute("open"));
    this.element = make("header.pl-header", {},
      make("a.pl-brand", { href: "./", "aria-label": document.title }, `Patch`, make("span", {}, "light")),
      make("nav.pl-tabs", { role: "tablist", label: "Explorers" }, ...this.tabs),
      make(".pl-languages", { role: "group", label: "Language" }, this.languages[0], "·", this.languages[1]),
      make("button.pl-action", { type: "button", say: "Present", hint: "Full screen, larger words", onclick: present }),
      this.copied,
      this.menu,
    );
    onLanguage(() => this.#words());
    this.#words();
  }

  show(name) {
    this.tabs.forEach((tab) => tab.setAttribute("aria-selected", tab.dataset.tab === name));
  }

  #words() {
    this.languages.forEach((button) => button.setAttribute("aria-pressed", button.dataset.language === language));
  }

  #pick(act) {
    this.menu.removeAttribute("open");
    act();
  }

  async #copy() {
    await navigator.clipboard?.writeText(link()).catch(() => {});
    this.copied.textContent = say("Copied");
    setTimeout(() => (this.copied.textContent = say("Link")), 1500);
  }
}
