// The page: its header, its desk, and whichever tab is in front. Gradio mounts the parts; they find one another here.

import { Attention } from "./attention.js";
import { address, fault, fetchBundle, fetching } from "./bundle.js";
import { setTables } from "./colours.js";
import { Desk } from "./desk.js";
import { caught, describe } from "./export.js";
import { Header } from "./header.js";
import { Progress } from "./progress.js";
import { beginFits, desk, fitOf, onDesk, remember, setDesk } from "./state.js";
import { introduce } from "./training_server.js";
import { make, onLanguage, say, startLanguage } from "./words.js";

/** The tab that opens first is here at once; any other is fetched as `<name>.js`, which exports its class as `Tab`. */
const TABS = { attention: Attention };

const parts = {};
const tabs = {};
let asked = null;

const started = startLanguage();

/** Called by Gradio for each part of the page as it appears, and again when its tab comes back. */
export async function mount(name, part) {
  await started;
  parts[name] = part;
  if (name === "desk") await mountDesk(part);
  else mountTab(name, part);
}

async function mountDesk(part) {
  const { page } = part.props;
  if (!page.local) introduce(); // on one's own machine nobody asks who it is
  setTables(page.palette);
  beginFits(page.tabs);
  const networks = { cards: [] };
  const upload = async (file) => {
    try {
      return await part.upload(file);
    } catch {
      tell(fault({ said: "The picture could not be sent: it is too large, or the server is away; try again." }));
      throw new Error("upload failed");
    }
  };
  parts.header = new Header({ tabs: page.tabs, open, present, exportPicture, exportNumbers });
  parts.left = new Desk({ examples: page.examples, networks, upload, tell, local: page.local, tabs: page.tabs, fits: page.fits });
  parts.said = make("span");
  const close = make("button.pl-close", { type: "button", label: "Close" });
  parts.notice = make(".pl-notice", { role: "alert", hidden: true, onclick: () => (parts.notice.hidden = true) }, parts.said, close);
  parts.progress = new Progress({ stop, foresee: (facts) => parts.left.foresee(facts), title: () => parts.left.title.textContent });
  part.element.replaceChildren(parts.header.element, parts.left.element, parts.progress.welcome, parts.notice, parts.progress.status);
  part.watch("value", () => start(part));
  onDesk(() => look(part));
  onDesk(() => live());
  onLanguage(() => parts.notice.hidden || tell(...parts.told));
  fetch(address("patchlight/networks")).then(async (answer) => {
    Object.assign(networks, await answer.json());
    parts.left.draw();
  });
  start(part);
}

async function mountTab(name, part) {
  const Tab = TABS[name] ?? (await import(`./${name}.js`)).Tab;
  const first = !tabs[name];
  const tab = (tabs[name] ??= makeTab(Tab, name, part.props.page));
  part.element.replaceChildren(tab.element);
  part.watch("value", () => arrived(name, part.props.value));
  if (first && (part.props.value?.made || part.props.value?.fault)) arrived(name, part.props.value);
  tab.resize?.();
}

function makeTab(Tab, name, page) {
  const tab = new Tab({ defaults: page.defaults, asked: asked?.[name] ?? {}, tell });
  tab.onGone = () => look(parts.desk, true);
  return tab;
}

/** The server has checked the page's address: everything begins with what it asks. */
function start(part) {
  const value = part.props.value;
  if (!value?.asked || asked) return;
  asked = value.asked;
  for (const [name, tab] of Object.entries(tabs)) tab.ask(asked[name] ?? {});
  parts.heard = value.faults;
  if (value.faults.length) tell(...value.faults);
  if (asked.desk.tab !== part.props.page.tabs[0].name) turnTo(asked.desk.tab);
  parts.header.show(asked.desk.tab);
  setDesk(asked.desk);
}

/** Ask the server for what the tab in front shows of the desk's picture. */
function look(part, again = false) {
  const wanted = JSON.stringify([desk.tab, desk.picture, desk.checkpoint, desk.side, fitOf()]);
  if (!asked || (wanted === parts.wanted && !again)) return;
  parts.wanted = wanted;
  parts.since = performance.now();
  parts.failed = null;
  const own = desk.picture.includes("/");
  remember({ ...desk, picture: own ? null : desk.picture }, part.props.page.defaults);
  parts.progress.begin();
  part.props.value = { ...desk, fit: fitOf() };
  part.trigger(`look_${desk.tab}`);
}

/** What a tab's work has yielded: progress, a sentence, or what it made. */
async function arrived(name, value) {
  if (!value) return;
  if (value.busy) return parts.progress.tell(value.busy);
  if (value.fault) return fail(value.fault);
  if (!value.made) return;
  if (!value.made.maps) return alone(name, value.made);
  const bundle = await fetchBundle(value.made.maps).catch((wrong) => void fail(wrong.fault));
  if (!bundle) return;
  parts.progress.end(name);
  parts.left.setFacts(bundle.facts);
  describe(bundle.facts);
  await bring(name, bundle);
  parts.drawn = value.made.of.checkpoint;
  document.body.dataset.shown = `${value.made.of.checkpoint} ${value.made.of.picture} ${bundle.facts.shape.join("x")}`;
}

/** A tab that needs neither picture nor network has nothing to fetch. */
async function alone(name, made) {
  parts.progress.end(name);
  describe(made.of ?? {});
  await bring(name, made);
  parts.drawn = made.of?.checkpoint;
  document.body.dataset.shown = name;
}

/** The tab draws what came. What the address asked amiss, or is not to be had here, is told beside what is shown. */
async function bring(name, made) {
  parts.notice.hidden = true;
  const absent = await tabs[name].show(made);
  const told = parts.notice.hidden ? [] : parts.told;
  const faults = [...parts.heard.splice(0), ...(absent ?? []), ...told];
  if (faults.length) tell(...faults);
}

function stop() {
  parts.desk.trigger("stop");
  parts.wanted = null;
  parts.progress.end();
}

/** Nothing new is shown; why, and what to do. */
function fail(fault) {
  parts.progress.end();
  parts.failed = fault;
  tell(fault);
}

/** A sentence each, none where all is well again; the picture stays as it was. */
function tell(...faults) {
  parts.told = faults;
  parts.said.textContent = faults.map(({ template, facts }) => say(template, facts)).join(" ");
  parts.notice.hidden = !faults.length;
}

const turnTo = (name) => document.querySelector(`#tabs [data-tab-id="${name}"]`)?.click();

/** The tab in front, for benchmarks and the browser's console. */
export const front = () => tabs[desk.tab];

// -- the life of a run -------------------------------------------------------------------------------------------------

/** The bar of a run's life comes with the first network of a run. */
async function live() {
  if (parts.life || halved || !desk.checkpoint?.startsWith("run/")) return;
  parts.life = true;
  const { Life } = await import("./life.js");
  parts.life = new Life({ tell, again: () => look(parts.desk, true), shown, capture });
  parts.desk.element.append(parts.life.element);
}

/** Resolves once the tab in front has drawn this network and what it asked for besides; throws where it said a sentence
 * instead. */
async function shown(checkpoint) {
  const there = () => parts.drawn === checkpoint && !atWork(front().element);
  do {
    while (!there()) {
      if (parts.failed) throw Object.assign(new Error(), { fault: parts.failed });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await new Promise(requestAnimationFrame); // what came is drawn in the next frame
  } while (!there());
}

/** Whether what is drawn may yet change: something is fetched, indexed or decoded. */
const atWork = (element) => fetching() || element.matches(".pl-busy") || element.querySelector("[role=progressbar]:not([hidden])") || ![...element.querySelectorAll("img")].every((image) => image.complete);

/** The picture of the tab in front, with its caption, as a blob. */
const capture = () => caught(() => tabs[desk.tab].exportPicture());

/** Whether this page is one half of another, which leads it. */
const halved = new URLSearchParams(location.search).has("half");
document.body.classList.toggle("pl-halved", halved);
window.patchlight = { open: (checkpoint) => setDesk({ checkpoint }), shown, capture };

function open(name) {
  turnTo(name);
  parts.header.show(name);
  setDesk({ tab: name });
}

function present() {
  const on = !document.body.classList.contains("pl-present");
  document.body.classList.toggle("pl-present", on);
  if (on) document.documentElement.requestFullscreen?.().catch(() => {});
  else if (document.fullscreenElement) document.exitFullscreen();
}

document.addEventListener("fullscreenchange", () => document.fullscreenElement || document.body.classList.remove("pl-present"));
const exportPicture = () => tabs[desk.tab]?.exportPicture?.();
const exportNumbers = () => tabs[desk.tab]?.numbers;

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("pl-present")) present();
  tabs[desk.tab]?.key?.(event);
});
