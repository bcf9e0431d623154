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

export const onDesk = (watcher) => watchers.add(watcher);

/** Keep values in the page's address where they differ from their defaults. */
export function remember(values, defaults) {
  for (const [name, value] of Object.entries(values)) {
    const plain = value === defaults[name] || value === null || value === undefined;
    written.set(name, plain ? null : String(value));
  }
  const query = new URLSearchParams(location.search);
  for (const [name, text] of written) text === null ? query.delete(name) : query.set(name, text);
  const search = query.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
  history.replaceState(history.state, "", search ? `?${search}` : location.pathname);
}

/** The page's address as it can be given to others. */
export const link = () => location.href;
