// The bias that a token adds to its window's logits: of one head or of all, over the window as it lies in the block.

/** {values, low, high, colours} of one head, or of the mean over heads where `head` is null. about: facts of the block. */
export function biasOf(kernel, about, place, head) {
  const [high, wide] = about.window;
  const [row, column] = place.map((at, axis) => (((at - about.shift[axis]) % about.window[axis]) + about.window[axis]) % about.window[axis]);
  const heads = head === null ? Array.from({ length: about.heads }, (_, index) => index) : [head];
  const at = (one, down, right) => kernel[(one * (2 * high - 1) + down) * (2 * wide - 1) + right];
  const values = Float32Array.from({ length: high * wide }, (_, key) => {
    const [down, right] = [Math.floor(key / wide) - row + high - 1, (key % wide) - column + wide - 1];
    return heads.reduce((sum, one) => sum + at(one, down, right), 0) / heads.length;
  });
  return { values, ...ends(kernel) };
}

/** Either way from zero, or from the least to the greatest where all are on one side of it, as SwinV2's are. */
function ends(kernel) {
  const [least, most] = [kernel.reduce((a, b) => Math.min(a, b)), kernel.reduce((a, b) => Math.max(a, b))];
  if (least > 0 || most < 0) return { low: least, high: most, colours: "viridis" };
  const edge = Math.max(-least, most);
  return { low: -edge, high: edge, colours: "diverging" };
}
