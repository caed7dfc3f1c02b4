// Two LLMs side by side, on the questions that both answered: the numbers of `gpla compare`. Below,
// another study where the page was made beside one.

import { part } from "./data.js";
import { choice, h, own, visible } from "./dom.js";
import { interval, percent, plain, signed, whole } from "./numbers.js";
import { panel } from "./panel.js";
import { panelsOf } from "./panels.js";
import { go, link } from "./route.js";
import { axisHead, span, track } from "./bars.js";

const SHOWN = 30;

export async function compareView(study, { names, query }) {
  const level = study.level;
  const list = level === "llm" ? study.llmNames : study.subjects.name;
  if (list.length < 2) return panelsOf("compare");
  const place = (name, other) => (list.indexOf(name) >= 0 ? list.indexOf(name) : other);
  const a = place(names[0], 0);
  const b = place(names[1], a === 0 ? 1 : 0);
  const cells = await study.cells(level);
  const why = await part("why");
  const rows = compared(study, cells, why, a, b);
  const all = query.get("all") === "1" || rows.length <= SHOWN;
  const [nameA, nameB] = [a, b].map((one) => study.unitName(level, one));
  const options = list.map((one, at) => [one, study.unitName(level, at)]);
  const axis = span(
    rows.slice(0, all ? undefined : SHOWN).flatMap((one) => [one.low, one.high, one.difference]),
  );
  const clear = rows.filter((one) => one.low > 0 || one.high < 0);
  const exact = why.deviations !== undefined;
  const line = (one) =>
    h(
      "tr",
      { class: one.few ? "few" : one.low > 0 || one.high < 0 ? "clear" : null },
      h("th", { scope: "row" }, own(study.valueNames[one.value])),
      h(
        "td",
        { class: "bar" },
        track(axis, [
          { low: one.low, mid: one.difference, high: one.high, kind: one.few ? "a few" : "a" },
        ]),
      ),
      h(
        "td",
        { class: "n" },
        signed(one.difference),
        h("span", { class: "ends" }, ` ${interval(one.low, one.high, signed)}`),
      ),
      h("td", { class: "n wide" }, cellLink(study, list[a], one, plain(one.a.score))),
      h("td", { class: "n wide" }, cellLink(study, list[b], one, plain(one.b.score))),
      h("td", { class: "n wide" }, `${percent(one.a.share)}, ${percent(one.b.share)}`),
      h("td", { class: "n wide" }, `${signed(one.a.direction, 1)}, ${signed(one.b.direction, 1)}`),
      h("td", { class: "n wide" }, `${whole(one.a.n_relevant)}, ${whole(one.b.n_relevant)}`),
    );
  const head = (text, kind) => h("th", { scope: "col", class: kind }, text);
  return [
    h(
      "form",
      { class: "controls", onsubmit: (event) => event.preventDefault(), "aria-label": "Which two" },
      choice("A", options, list[a], (one) => go("compare", [one, list[b]])),
      choice("B", options, list[b], (one) => go("compare", [list[a], one])),
    ),
    h("h2", { class: "title", tabindex: "-1" }, own(nameA), " less ", own(nameB)),
    exact &&
      h(
        "p",
        { class: "lead" },
        `They are apart on ${clear.length} of ${rows.length} values`,
        clear.length
          ? [
              ", most on ",
              clear
                .slice(0, 4)
                .map((one, at) => [at ? ", " : "", own(study.valueNames[one.value])]),
            ]
          : null,
        `; by chance alone on about ${Math.ceil(0.05 * rows.length)}.`,
      ),
    panel(
      {
        id: "compare",
        title: "What they value differently",
        said: exact
          ? "A less B with the 95% interval over the questions that both answered. Bold: it leaves out 0."
          : "A less B. The study has too many LLMs for the page to hold intervals of pairs: the command gives them.",
        link: link("compare", [list[a], list[b]]),
        columns: () => [
          ["value", rows.map((one) => study.valueNames[one.value])],
          ...["difference", "low", "high", "n_questions"].map((name) => [
            name,
            rows.map((one) => one[name]),
          ]),
          ...["score", "share", "direction", "n_relevant"].flatMap((name) => [
            [`${name}_a`, rows.map((one) => one.a[name])],
            [`${name}_b`, rows.map((one) => one.b[name])],
          ]),
        ],
        command: `gpla compare '${visible(list[a])}' '${visible(list[b])}' --study ${study.name}`,
      },
      h(
        "table",
        { class: "intervals" },
        h("caption", { class: "unseen" }, "Differences of two LLMs by value"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head("Value"),
            axisHead(axis),
            head("A − B", "n"),
            head("Score A", "n wide"),
            head("Score B", "n wide"),
            head("How often", "n wide"),
            head("Which way", "n wide"),
            head("Sentences", "n wide"),
          ),
        ),
        h("tbody", {}, (all ? rows : rows.slice(0, SHOWN)).map(line)),
      ),
      !all &&
        h(
          "p",
          {},
          h(
            "a",
            { href: link("compare", [list[a], list[b]], { all: "1" }) },
            `All ${rows.length} values`,
          ),
        ),
    ),
    await panelsOf("compare"),
  ];
}

function cellLink(study, name, one, text) {
  return h("a", { href: link("map", [name, study.valueNames[one.value]]) }, text);
}

/**
 * Rows of two units by the size of their difference. The interval is the delete-one jackknife's:
 * how far the difference moves without each question (gpla_assets/evaluator/estimates.py).
 */
export function compared(study, cells, why, a, b) {
  const rows = [];
  for (let value = 0; value < study.valueNames.length; value += 1) {
    const [one, other] = [cells.at(a, value), cells.at(b, value)];
    if (one?.score == null || other?.score == null) continue;
    const difference = one.score - other.score;
    const k = Math.min(one.n_questions, other.n_questions);
    let [low, high] = [null, null];
    if (why.deviations && k > 1) {
      const { n_questions: n, scale, numbers } = why.deviations;
      const [first, second] = [cells.row(a, value) * n, cells.row(b, value) * n];
      let sum = 0;
      for (let place = 0; place < n; place += 1)
        sum += (scale * (numbers[first + place] - numbers[second + place])) ** 2;
      const half = study.t(k) * Math.sqrt((sum * (k - 1)) / k);
      [low, high] = [difference - half, difference + half];
    }
    rows.push({
      value,
      a: one,
      b: other,
      difference,
      low,
      high,
      n_questions: k,
      few: k < study.fewest,
    });
  }
  return rows.sort((x, y) => Math.abs(y.difference) - Math.abs(x.difference));
}
