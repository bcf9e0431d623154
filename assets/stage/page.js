// The page: its header, its desk, and whichever tab is in front. Gradio mounts the parts; they find one another here.

import { Attention } from "./attention.js";
import { setTables } from "./colours.js";
import { Desk } from "./desk.js";
import { listen } from "./failures.js";
import { Header } from "./header.js";
import { Look, able } from "./look.js";
import { Notice } from "./notice.js";
import { Progress } from "./progress.js";
import { Pulse } from "./pulse.js";
import { Away, Told, fault, get } from "./server.js";
import { beginFits, desk, onDesk, setDesk } from "./state.js";
import { introduce } from "./training_server.js";
import { Turns } from "./turns.js";
import { make, startLanguage } from "./words.js";

/** The tab that opens first is here at once; any other is fetched as `<name>.js`, which exports its class as `Tab`. */
const TABS = { attention: Attention };

const parts = {};
const tabs = {};
let asked = null;

const notice = new Notice();
const tell = (...faults) => notice.tell(...faults);
listen((wrong) => (parts.look ? parts.look.fail(wrong) : console.error(wrong)));
const started = startLanguage();

/** Called by Gradio for each part of the page as it appears, and again when its tab comes back. */
export async function mount(name, part) {
  await started;
  if (name === "desk") await mountDesk(part);
  else await mountTab(name, part);
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
      throw new Told(fault({ said: "The picture could not be sent: it is too large, or the server is away; try again." }));
    }
  };
  parts.desk = part;
  parts.header = new Header({ tabs: page.tabs, open, present, front });
  parts.left = new Desk({ examples: page.examples, networks, upload, tell, local: page.local, tabs: page.tabs, fits: page.fits });
  parts.progress = new Progress({ stop: () => parts.look.stop(), foresee: (facts) => parts.left.foresee(facts), title: () => parts.left.title.textContent });
  parts.look = new Look({ part, tabs, notice, progress: parts.progress, told: (facts) => parts.left.setFacts(facts), lost: () => pulse.lose() });
  const pulse = new Pulse({ awaits: () => parts.look.awaits, away: (wrong) => parts.look.fail(wrong), back: () => back(networks) });
  part.element.replaceChildren(parts.header.element, parts.left.element, parts.progress.welcome, notice.element, parts.progress.status);
  part.watch("value", () => start(part));
  onDesk(() => asked && parts.look.ask());
  onDesk(() => live());
  know(networks);
  start(part);
}

/** Which networks there are. */
async function know(networks) {
  Object.assign(networks, await (await get("patchlight/networks")).json());
  parts.left.draw();
}

/** The server is there again, or another one in its place: nothing that it was asked is known to it. */
function back(networks) {
  tell();
  for (const [name, part] of unfetched) mountTab(name, part);
  if (!networks.cards.length) know(networks);
  if (asked) parts.look.ask(true);
  else location.reload();
}

async function mountTab(name, part) {
  const Tab = TABS[name] ?? (await fetched(name, part));
  const first = !tabs[name];
  const tab = (tabs[name] ??= makeTab(Tab, name, part.props.page));
  part.element.replaceChildren(tab.element);
  part.watch("value", () => parts.look.arrived(name, part.props.value));
  if (first) parts.look?.arrived(name, part.props.value);
  tab.resize?.();
}

const unfetched = new Map(); // parts of tabs whose scripts a server that was away could not give

async function fetched(name, part) {
  try {
    return (await import(`./${name}.js${unfetched.has(name) ? `?${Date.now()}` : ""}`)).Tab;
  } catch (wrong) {
    if (wrong instanceof SyntaxError || !String(wrong.message).includes("import")) throw wrong;
    unfetched.set(name, part);
    throw new Away();
  }
}

/** A tab that asks nothing of its own has no use for its turns; they are ended all the same when another picture comes. */
function makeTab(Tab, name, page) {
  const turns = new Turns();
  const tab = Object.assign(new Tab({ defaults: page.defaults, asked: asked?.[name] ?? {}, tell, turns }), { turns });
  able(tab, false);
  return tab;
}

/** The server has checked the page's address: everything begins with what it asks. */
function start(part) {
  const value = part.props.value;
  if (!value?.asked || asked) return;
  asked = value.asked;
  for (const [name, tab] of Object.entries(tabs)) tab.ask(asked[name] ?? {});
  parts.look.heard = value.faults;
  if (value.faults.length) tell(...value.faults);
  if (asked.desk.tab !== part.props.page.tabs[0].name) turnTo(asked.desk.tab);
  parts.header.show(asked.desk.tab);
  setDesk(asked.desk);
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
  parts.life = new Life({ tell, again: () => parts.look.ask(true), shown, capture });
  parts.desk.element.append(parts.life.element);
}

const shown = (checkpoint) => parts.look.shown(checkpoint);

/** The picture of the tab in front, with its caption, as a blob. */
const capture = async () => (await front().exportPicture()).source;

/** Whether this page is one half of another, which leads it. */
const halved = new URLSearchParams(location.search).has("half");
document.body.classList.toggle("pl-halved", halved);
window.patchlight = { open: (checkpoint) => setDesk({ checkpoint }), shown, capture, compared: () => front()?.compared };

function open(name) {
  turnTo(name);
  parts.header.show(name);
  setDesk({ tab: name });
}

function present() {
  const on = !document.body.classList.contains("pl-present");
  document.body.classList.toggle("pl-present", on);
  if (on) document.documentElement.requestFullscreen?.().catch(() => {}); // larger words come without it too
  else if (document.fullscreenElement) document.exitFullscreen();
}

document.addEventListener("fullscreenchange", () => document.fullscreenElement || document.body.classList.remove("pl-present"));

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("pl-present")) present();
  if (event.key === "?" && !event.target.matches("input, select, textarea, dialog *")) parts.header.keys.open();
  front()?.key?.(event);
});
