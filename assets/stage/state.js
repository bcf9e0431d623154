// What the page shows, in one place: picture and network for all tabs, and each tab's own question. Kept in the address.

/** Values for all tabs, as explorers/frame.py declares them, and the asked ones of the tab in front. */
export const desk = {};
const watchers = new Set();
const written = new Map();

/** Change some of the desk's values; those who watch are told which. */
export function setDesk(changes) {
  const changed = Object.keys(changes).filter((name) => desk[name] !== changes[name]);
  Object.assign(desk, changes);
  if (changed.length) watchers.forEach((watcher) => watcher(changed));
}

const fits = {}; // of each tab, until the reader chooses one for all

/** tabs: [{name, fit}]. */
export const beginFits = (tabs) => tabs.forEach(({ name, fit }) => (fits[name] = fit));

/** How the picture is fed to the tab in front. */
export const fitOf = () => desk.fit ?? fits[desk.tab];

export const onDesk = (watcher) => watchers.add(watcher);

/** Keep values in the page's address where they differ from their defaults; a list is its name once for each value. */
export function remember(values, defaults) {
  for (const [name, value] of Object.entries(values)) {
    const plain = value === null || value === undefined || JSON.stringify(value) === JSON.stringify(defaults[name]);
    written.set(name, plain ? [] : [value].flat().map(String));
  }
  const query = new URLSearchParams(location.search);
  for (const [name, texts] of written) {
    query.delete(name);
    for (const text of texts) query.append(name, text);
  }
  const search = query.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
  history.replaceState(history.state, "", search ? `?${search}` : location.pathname);
}

/** The page's address as it can be given to others. */
export const link = () => location.href;
