// Two halves of a pair draw maps of one kind on one scale, the greater of both; a page of its own keeps its own.

export class Compared {
  /** redraw(): draws again, at once, what is shown. */
  constructor(redraw) {
    Object.assign(this, { redraw, kind: null, own: 0, meets: false });
  }

  /** The value that takes the last colour of a map of a `kind` (null for none) whose own scale is `own`. */
  shared(kind, own) {
    const other = beside();
    const told = this.kind === kind && this.own === own;
    Object.assign(this, { kind, own });
    if (!told) other?.redraw();
    this.meets = kind !== null && other?.kind === kind;
    return this.meets ? Math.max(own, other.own) : own;
  }
}

/** What the other half compares; undefined where there is none. */
function beside() {
  const halves = window.frameElement?.closest(".pl-life-pair")?.querySelectorAll("iframe") ?? [];
  return [...halves].find((half) => half !== window.frameElement)?.contentWindow.patchlight?.compared();
}
