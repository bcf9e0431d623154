// How a curve is zoomed and pointed at: drag, wheel with Ctrl, double click, keys; a click goes to a place. The wheel
// alone, and a finger up or down, scroll the page.

const DRAG = 5; // pixels that make a press a drag
const CLOSEST = 500; // times that a curve can be enlarged
const WHEEL = 0.25; // of a factor e a notch

export class Zoom {
  /**
   * curve: {span, mark, whole(), at(clientX), zoom([low, high] or null), go(x), paint()}.
   * `pointed` is the x under the pointer, `from` the x where a drag began; null where there is none.
   */
  constructor(canvas, curve) {
    Object.assign(this, { canvas, curve, pointed: null, from: null, pressed: null });
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#release(event));
    canvas.addEventListener("pointercancel", () => this.#leave());
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("dblclick", () => curve.zoom(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // a pinch comes as a wheel with Ctrl
    event.preventDefault();
    this.#scale(Math.exp(Math.sign(event.deltaY) * WHEEL), this.curve.at(event.clientX));
  }

  #scale(factor, middle) {
    const whole = this.curve.whole();
    const [low, high] = this.curve.span.map((end) => middle + (end - middle) * factor);
    const [wide, most] = [high - low, whole[1] - whole[0]];
    if (wide >= most) this.curve.zoom(null);
    else if (wide > most / CLOSEST) this.curve.zoom([Math.max(whole[0], low), Math.min(whole[1], high)]);
  }

  #key(event) {
    const middle = this.curve.mark ?? (this.curve.span[0] + this.curve.span[1]) / 2;
    const closer = () => this.#scale(0.7, middle);
    const act = { "+": closer, "=": closer, "-": () => this.#scale(1.4, middle), 0: () => this.curve.zoom(null) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #press({ pointerId, clientX }) {
    this.canvas.setPointerCapture(pointerId);
    this.pressed = { from: this.curve.at(clientX), left: clientX };
  }

  #move({ clientX }) {
    this.pointed = this.curve.at(clientX);
    if (this.pressed && Math.abs(clientX - this.pressed.left) > DRAG) this.from = this.pressed.from;
    this.curve.paint();
  }

  #release({ clientX }) {
    const to = this.curve.at(clientX);
    const { from, pressed } = this;
    this.from = this.pressed = null;
    if (from !== null) this.curve.zoom([Math.min(from, to), Math.max(from, to)]);
    else if (pressed) this.curve.go(to);
    this.curve.paint();
  }

  #leave() {
    this.pointed = this.from = this.pressed = null;
    this.curve.paint();
  }
}
