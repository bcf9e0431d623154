// One header: the name, the tabs, and what concerns the whole page.

import { save } from "./export.js";
import { Keys } from "./keys.js";
import { LinkBox } from "./link_box.js";
import { language, make, onLanguage, setLanguage } from "./words.js";

export class Header {
  /** tabs: [{name, title}]. open(name), present(). front(): the tab in front, which can be exported while it `shows` something. */
  constructor({ tabs, open, present, front }) {
    this.front = front;
    this.tabs = tabs.map(({ name, title }) =>
      make("button.pl-tab-button", { type: "button", role: "tab", say: title, "data-tab": name, onclick: () => open(name) }),
    );
    this.languages = ["en", "ru"].map((name) =>
      make("button", { type: "button", lang: name, "data-language": name, title: { en: `English`, ru: `Русский` }[name], onclick: () => setLanguage(name) }, name.toUpperCase()),
    );
    this.link = new LinkBox();
    this.keys = new Keys(front);
    const picture = make("button", { type: "button", say: "Picture with caption, PNG", onclick: async () => this.#save(await front().exportPicture()) });
    const numbers = make("button", { type: "button", say: "Numbers with caption, npz", onclick: () => this.#save({ source: front().numbers, name: "patchlight.npz" }) });
    this.exports = [picture, numbers];
    this.menu = make("details.pl-menu", { ontoggle: () => this.#able() }, make("summary.pl-action", { say: "Export" }), make(".pl-menu-list", {}, ...this.exports));
    document.addEventListener("click", (event) => this.menu.contains(event.target) || this.menu.removeAttribute("open"));
    this.element = make("header.pl-header", {},
      make("a.pl-skip", { href: "#", say: "To the picture", onclick: (event) => this.#skip(event) }),
      make("h1", {}, make("a.pl-brand", { href: "./", "aria-label": document.title }, `Patch`, make("span", {}, "light"))),
      make("nav.pl-tabs", { role: "tablist", label: "Explorers", onkeydown: (event) => this.#walk(event, open) }, ...this.tabs),
      make(".pl-languages", { role: "group", label: "Language" }, this.languages[0], "·", this.languages[1]),
      make("button.pl-action", { type: "button", say: "Present", hint: "Full screen, larger words", onclick: present }),
      this.link.element,
      this.menu,
      this.keys.element,
      this.keys.dialog,
      this.link.dialog,
    );
    onLanguage(() => this.#words());
    this.#words();
  }

  show(name) {
    for (const tab of this.tabs) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1; // one stop for all tabs; the arrow keys go from one to the next
    }
  }

  #walk(event, open) {
    const at = this.tabs.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const tab = this.tabs.at(to % this.tabs.length);
    tab.focus();
    open(tab.dataset.tab);
  }

  /** Past the head and the desk, to what the tab in front shows. */
  #skip(event) {
    event.preventDefault();
    const middle = [...document.querySelectorAll(".pl-middle")].find((one) => one.checkVisibility());
    middle.tabIndex = -1;
    middle.focus();
  }

  #words() {
    this.languages.forEach((button) => button.setAttribute("aria-pressed", button.dataset.language === language));
  }

  /** Nothing can be exported where nothing is shown; looked at for as long as the menu is open. */
  #able() {
    if (!this.menu.open) return;
    for (const button of this.exports) button.disabled = !this.front()?.shows;
    requestAnimationFrame(() => this.#able());
  }

  #save(file) {
    this.menu.removeAttribute("open");
    return save(file);
  }
}
