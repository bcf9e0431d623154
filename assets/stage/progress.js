// What the page says while it works: how far a download is, how long a pass will take, and, where nothing is shown yet,
// what is happening and what can be done.

import { desk } from "./state.js";
import { make, number, onLanguage, say } from "./words.js";

const PATIENCE = 1.5; // seconds of work before the page says a word about it beside a picture

export class Progress {
  /** stop(): the reader wants no more. foresee(facts): what is known before a pass. title(): the chosen network's. */
  constructor({ stop, foresee, title }) {
    Object.assign(this, { foresee, title });
    this.filled = new Set();
    this.status = make(".pl-status", { role: "status", hidden: true });
    this.words = make("p");
    this.stop = make("button.pl-link", { type: "button", say: "Stop", onclick: stop });
    this.halt = make("button.pl-link", { type: "button", say: "Stop", onclick: stop });
    const hint = make("p.pl-note", { say: "To see something else, choose or drop a picture at the left, or change the network." });
    this.welcome = make("section.pl-welcome", { role: "status", label: "What is happening", hidden: true }, this.words, make(".pl-progress"), hint, this.halt);
    this.halt.hidden = true;
    this.status.append(make("span"), " ", this.stop);
    onLanguage(() => this.#say());
  }

  /** A question has been sent. */
  begin() {
    Object.assign(this, { pass: null, told: null, now: { here: 0, whole: 0, seconds: 0 } });
    document.body.classList.add("pl-working");
    this.#say();
  }

  /** What the server says of the work: bytes of a download, seconds so far, and once it is known, the pass to come. */
  tell(now) {
    const { foreseen, seconds } = (this.now = now);
    if (foreseen && this.told !== JSON.stringify(foreseen)) {
      this.told = JSON.stringify(foreseen);
      this.pass = { begun: seconds, seconds: foreseen.cost.seconds, tokens: foreseen.cost.tokens };
      this.foresee(foreseen);
    }
    document.body.classList.add("pl-working");
    this.#say();
  }

  /** The work is over. name: of the tab that shows something from now on, or null where it came to nothing. */
  end(name = null) {
    this.now = null;
    document.body.classList.remove("pl-working", "pl-counted");
    if (name) this.filled.add(name);
    this.#say();
  }

  #say() {
    const counted = this.now && this.#counted();
    document.body.style.setProperty("--pl-progress", counted?.[0] ?? 0);
    document.body.classList.toggle("pl-counted", Boolean(counted));
    const first = !this.filled.has(desk.tab) && (this.now !== null || this.filled.size === 0);
    this.welcome.hidden = !first;
    this.halt.hidden = !this.now;
    this.words.textContent = this.now ? this.#opening() : say("Nothing is shown yet.");
    const words = !first && this.now && (this.now.whole ? this.#downloading() : this.#working());
    this.status.hidden = !words;
    if (words) this.status.firstChild.textContent = words;
  }

  /** [share that is done, seconds it took] of a download, or of a pass whose time was foreseen; null once overdue. */
  #counted() {
    const { here, whole, seconds } = this.now;
    if (whole) return [here / whole, seconds];
    const { begun, seconds: expected } = this.pass ?? {};
    return expected && seconds - begun < expected ? [(seconds - begun) / expected, seconds - begun] : null;
  }

  #opening() {
    const network = this.title();
    if (this.now.whole) return `${network}. ${this.#downloading()}`;
    if (!this.pass) return say("{network} is being opened.", { network });
    const { tokens, seconds } = this.pass;
    if (!tokens || !seconds) return say("{network} reads the picture.", { network });
    return say("{network} reads the picture: {tokens} tokens, about {seconds} s.", { network, tokens, seconds: number(seconds, 2) });
  }

  #working() {
    const { seconds } = this.now;
    if (seconds <= PATIENCE) return null;
    const counted = this.#counted();
    if (!counted) return say("Working for {seconds} s.", { seconds: number(Math.round(seconds)) });
    return say("Working, about {seconds} s left.", { seconds: number(Math.ceil(this.pass.seconds - counted[1])) });
  }

  #downloading() {
    const { here, whole, seconds } = this.now;
    const share = here / whole;
    const megabytes = (bytes) => number(Math.round(bytes / 1e6));
    const facts = { here: megabytes(here), whole: megabytes(whole) };
    if (share <= 0.02) return say("Downloading: {here} of {whole} MB.", facts);
    return say("Downloading: {here} of {whole} MB, {seconds} s left.", { ...facts, seconds: number(Math.ceil((seconds * (1 - share)) / share)) });
  }
}
