// Bars and intervals on an axis, as boxes of the page: they print, resize and need no library.
// What they show stands in numbers beside them, so that they are hidden from screen readers.

import { h } from "./dom.js";
import { signed } from "./numbers.js";

/** A common axis of numbers, 0 in it where it means something, with a little room at its ends. */
export function span(numbers, zero = true) {
  const known = numbers.filter((one) => one !== null && Number.isFinite(one));
  const ends = zero || known.length === 0 ? [...known, 0] : known;
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const room = 0.04 * (high - low || 1);
  return [low - room, high + room];
}

const at = (number, [low, high]) =>
  `${((100 * (Math.min(Math.max(number, low), high) - low)) / (high - low)).toFixed(2)}%`;

function box(name, left, right, axis) {
  const style = { left: at(left, axis) };
  if (right !== undefined) style.right = `${(100 - parseFloat(at(right, axis))).toFixed(2)}%`;
  return h("i", { class: name, style });
}

/**
 * A track with marks: {low, mid, high, kind}; kind a, b or few. `ticks` are where others lie.
 */
export function track(axis, marks, ticks = []) {
  return h(
    "span",
    { class: "track", "aria-hidden": "true" },
    axis[0] < 0 && axis[1] > 0 && box("axis", 0, undefined, axis),
    ticks.filter((one) => one !== null).map((one) => box("tick", one, undefined, axis)),
    marks
      .filter(({ mid }) => mid !== null && mid !== undefined)
      .map(({ low, mid, high, kind }) => [
        low !== null && high !== null && box(`range ${kind}`, low, high, axis),
        box(`dot ${kind}`, mid, undefined, axis),
      ]),
  );
}

/** The head of a column of tracks: where their axis begins and ends. */
export function axisHead(axis) {
  return h(
    "th",
    { scope: "col", class: "bar" },
    h(
      "span",
      { class: "axis-ends" },
      h("span", {}, signed(axis[0], 1)),
      h("span", {}, signed(axis[1], 1)),
    ),
  );
}

/** A step of a waterfall, from a number to another. */
export function step(axis, from, to, kind) {
  return h(
    "span",
    { class: "track", "aria-hidden": "true" },
    box("axis", 0, undefined, axis),
    box(`step ${kind}`, Math.min(from, to), Math.max(from, to), axis),
  );
}
