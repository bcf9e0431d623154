// What this browser remembers from visit to visit; where it may not, as with cookies blocked, for as long as the page is open.

const here = new Map();

/** The text under `name`, or null. */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return here.get(name) ?? null;
  }
}

export function store(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch {
    here.set(name, text);
  }
}
