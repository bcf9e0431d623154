// What the tab in front is asked of the desk's picture, and what comes of it: the newest question is answered, no other.

import { fetchBundle, fetching } from "./bundle.js";
import { describe } from "./export.js";
import { sentenceOf } from "./failures.js";
import { Away, Gone } from "./server.js";
import { desk, fitOf, remember, setDesk } from "./state.js";
import { Turns } from "./turns.js";

const ANSWER = "answer";
const AGAIN = 5000; // milliseconds within which a picture that is forgotten a second time is not asked for a third

/** What an answer belongs to, in one word. */
const named = ({ tab, picture, checkpoint, side, fit }) => JSON.stringify([tab, picture, checkpoint, side, fit]);

export class Look {
  /** part: the desk's part of the page. tabs: by name, as they are made. told(facts): of what is shown from now on. lost(wrong): the server is away. */
  constructor({ part, tabs, notice, progress, told, lost }) {
    Object.assign(this, { part, tabs, notice, progress, told, lost, wanted: null, failed: null, drawn: null, heard: [] });
    this.turns = new Turns();
  }

  /** Ask the server for what the tab in front shows of the desk's picture. */
  ask(again = false) {
    const asked = { ...desk, fit: fitOf() };
    const wanted = named(asked);
    if (wanted === this.wanted && !again) return;
    Object.assign(this, { wanted, failed: null });
    this.turns.end(ANSWER);
    const own = desk.picture.includes("/");
    remember({ ...desk, picture: own ? null : desk.picture }, this.part.props.page.defaults);
    this.progress.begin();
    this.part.props.value = asked;
    this.part.trigger(`look_${desk.tab}`);
  }

  /** What a tab's work has yielded: progress, a sentence, or what it made; dropped where something else is wanted by now. */
  async arrived(name, value) {
    if (!value?.of || named(value.of) !== this.wanted) return;
    if (value.busy) return this.progress.tell(value.busy);
    if (value.fault) {
      this.progress.end();
      this.#tell(value.fault);
      return this.#return();
    }
    const made = JSON.stringify(value.made);
    if (made === this.made) return; // Gradio tells a value again when it mounts the tab again
    this.made = made;
    await this.turns.latest(ANSWER, (turn) => this.#draw(name, value, turn)).catch((wrong) => {
      this.progress.end();
      this.fail(wrong);
    });
  }

  /** A tab that needs neither picture nor network has nothing to fetch. The tab draws what came; what the address asked
   *  amiss, or is not to be had here, is told beside what is shown. */
  async #draw(name, { made, of }, turn) {
    const shown = made.maps ? await turn(fetchBundle(made.maps, {}, turn.signal)) : made;
    const tab = this.tabs[name];
    this.progress.end(name);
    if (made.maps) this.told(shown.facts);
    describe(shown.facts ?? {});
    this.notice.tell();
    tab.turns.endAll();
    const absent = await turn(tab.show(shown, turn));
    able(tab, shown.facts?.refused !== true);
    const faults = [...this.heard.splice(0), ...(absent ?? []), ...this.notice.faults];
    if (faults.length) this.notice.tell(...faults);
    Object.assign(this, { drawn: of.checkpoint, good: of });
    document.body.dataset.shown = made.maps ? `${of.checkpoint} ${of.picture} ${shown.facts.shape.join("x")}` : name;
  }

  /** A choice that came to nothing leaves what was there, which is still shown. */
  #return() {
    if (this.good?.tab !== desk.tab) return;
    this.wanted = named(this.good);
    const { picture, checkpoint, side } = this.good;
    setDesk({ picture, checkpoint, side });
    remember({ picture: picture.includes("/") ? null : picture, checkpoint, side }, this.part.props.page.defaults);
  }

  stop() {
    this.part.trigger("stop");
    this.wanted = null;
    this.turns.end(ANSWER);
    this.progress.end();
  }

  /** Something has gone wrong, here or in a tab: what is forgotten is asked for again, all else is told. */
  fail(wrong) {
    if (wrong instanceof Gone && performance.now() - (this.again ?? -AGAIN) > AGAIN) {
      this.again = performance.now();
      return this.ask(true);
    }
    if (wrong instanceof Away) this.lost(wrong);
    this.#tell(sentenceOf(wrong));
  }

  /** Nothing new is shown; why, and what to do. */
  #tell(fault) {
    this.failed = fault;
    this.notice.tell(fault);
  }

  /** Whether an answer is on its way. */
  get awaits() {
    return document.body.classList.contains("pl-working");
  }

  /** Resolves once the tab in front has drawn this network and what it asked for besides; throws where a sentence was said instead. */
  async shown(checkpoint) {
    const there = () => this.drawn === checkpoint && !atWork(this.tabs[desk.tab].element);
    do {
      while (!there()) {
        if (this.failed) throw Object.assign(new Error(), { fault: this.failed });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await new Promise(requestAnimationFrame); // what came is drawn in the next frame
    } while (!there());
  }
}

/** What a tab's controls act on is there, or not yet, or not for this network. */
export function able(tab, is) {
  const side = tab.element.querySelector(".pl-side");
  if (side) side.inert = !is;
}

/** Whether what is drawn may yet change: something is fetched, indexed or decoded. */
const atWork = (element) => fetching() || element.matches(".pl-busy") || element.querySelector("[role=progressbar]:not([hidden])") || ![...element.querySelectorAll("img")].every((image) => image.complete);
