// One LLM: what it values with intervals, beside all others or one; its refusals; its profiles.

import { choice, h, own, visible } from "./dom.js";
import { interval, percent, plain, signed, whole } from "./numbers.js";
import { panel, quoted } from "./panel.js";
import { go, link } from "./route.js";
import { axisHead, span, track } from "./bars.js";

const ENDS = 10;
const ALIKE = 5;
const IN_MULTIPLES = 10;

export async function profileView(study, { names, query }) {
  const known = study.llmNames.indexOf(names[0]);
  const llm = Math.max(known, 0);
  const name = study.llmNames[llm];
  const asked = Object.fromEntries(query);
  const level = asked.profile !== undefined ? "subject" : "llm";
  const subject = study.subjects.llm.findIndex(
    (one, place) => one === llm && String(study.subjects.profile[place]) === asked.profile,
  );
  const unit = level === "llm" ? llm : subject;
  const cells = await study.cells(level);
  const view = { study, level, unit, cells, llm, asked };
  return [
    picker(view),
    h("h2", { class: "title", tabindex: "-1" }, own(study.unitName(level, unit, false))),
    summary(view),
    intervals(view),
    answered(view),
    await multiples(view),
  ];
}

function picker({ study, llm, asked }) {
  const others = study.llmNames.map((one, place) => [one, study.shortNames[place]]);
  const mine = study.subjects.llm
    .map((one, place) => [one, study.subjects.profile[place]])
    .filter(([one]) => one === llm)
    .map(([, profile]) => [String(profile), study.profiles[profile]]);
  return h(
    "form",
    { class: "controls", onsubmit: (event) => event.preventDefault(), "aria-label": "Which LLM" },
    choice("LLM", others, study.llmNames[llm], (one) => go("llm", [one], { with: asked.with })),
    mine.length > 1 &&
      choice("Profile", [["", "mean of its profiles"], ...mine], asked.profile ?? "", (one) =>
        go("llm", [study.llmNames[llm]], { ...asked, profile: one }),
      ),
    others.length > 1 &&
      choice(
        "Beside",
        [["", "all others"], ...others.filter(([one]) => one !== study.llmNames[llm])],
        asked.with ?? "",
        (one) => go("llm", [study.llmNames[llm]], { ...asked, with: one }),
      ),
  );
}

/** Values with a score, by the difference from the others; where there are none by the score. */
function ordered({ study, unit, cells }) {
  const found = study.valueNames
    .map((_, value) => ({ value, ...cells.at(unit, value) }))
    .filter((one) => one.score !== undefined && one.score !== null);
  const apart = found.some((one) => one.difference !== null);
  const measure = apart ? "difference" : "score";
  found.sort((a, b) => (b[measure] ?? -1e9) - (a[measure] ?? -1e9));
  return { found, measure };
}

function summary(view) {
  const { found, measure } = ordered(view);
  if (measure === "score")
    return h("p", { class: "lead" }, "There is no other to differ from: values by score.");
  const named = (rows) =>
    rows.map((one, place) => [place ? ", " : "", own(view.study.valueNames[one.value])]);
  const above = found.filter((one) => one.clear && one.difference > 0).slice(0, 5);
  const below = found
    .filter((one) => one.clear && one.difference < 0)
    .reverse()
    .slice(0, 5);
  const alike = found
    .filter((one) => !one.few)
    .sort((a, b) => Math.abs(a.difference) - Math.abs(b.difference))
    .slice(0, ALIKE);
  return h(
    "p",
    { class: "lead" },
    above.length ? ["Clearly above the others on ", named(above), ". "] : null,
    below.length ? ["Clearly below on ", named(below), ". "] : null,
    !above.length && !below.length ? "No difference from the others is beyond chance. " : null,
    alike.length
      ? [h("span", { class: "rest" }, "Most like the others on ", named(alike), ".")]
      : null,
  );
}

function intervals(view) {
  const { study, level, unit, cells, asked, llm } = view;
  const { found, measure } = ordered(view);
  const other = level === "llm" ? study.llmNames.indexOf(asked.with ?? "") : -1;
  const [low, high] =
    measure === "difference" ? ["difference_low", "difference_high"] : ["low", "high"];
  const all = asked.all === "1" || found.length <= 2 * ENDS + 4;
  const shown = all ? found : [...found.slice(0, ENDS), null, ...found.slice(-ENDS)];
  const rows = shown.filter(Boolean);
  const units = Array.from({ length: cells.nUnits }, (_, place) => place).filter(
    (one) => one !== unit,
  );
  const axis = span(
    rows.flatMap((one) => [one[low], one[high], one[measure]]),
    // a score of 0 means nothing by every rule
    measure === "difference",
  );
  const key = level === "llm" ? "llm" : "subject_id";
  const who = level === "llm" ? study.llmNames[unit] : study.subjects.name[unit];
  const line = (one) => {
    const beside = other >= 0 ? cells.at(other, one.value) : null;
    const ticks =
      other >= 0 || units.length > 60
        ? []
        : units.map((place) => cells.get(measure, place, one.value));
    const marks = [
      {
        low: one[low],
        high: one[high],
        mid: one[measure],
        kind: one.few ? "a few" : one.clear ? "a clear" : "a",
      },
    ];
    if (beside)
      marks.push({ low: beside[low], high: beside[high], mid: beside[measure], kind: "b" });
    return h(
      "tr",
      { class: one.few ? "few" : one.clear ? "clear" : null },
      h(
        "th",
        { scope: "row" },
        h(
          "a",
          {
            href: link("map", [who, study.valueNames[one.value]], {
              level: level === study.level ? "" : level,
            }),
          },
          own(study.valueNames[one.value]),
        ),
      ),
      h("td", { class: "bar" }, track(axis, marks, ticks)),
      h(
        "td",
        { class: "n" },
        signed(one[measure]),
        h("span", { class: "ends" }, ` ${interval(one[low], one[high], signed)}`),
      ),
      h("td", { class: "n wide" }, percent(one.share)),
      h("td", { class: "n wide" }, signed(one.direction)),
      h("td", { class: "n wide" }, `${whole(one.n_relevant)}/${whole(one.n)}`),
      h("td", { class: "wide" }, one.few ? "few" : ""),
    );
  };
  const gap = h(
    "tr",
    {},
    h(
      "td",
      { colspan: 7, class: "between" },
      h(
        "a",
        { href: link("llm", [study.llmNames[llm]], { ...asked, all: "1" }) },
        `${found.length - 2 * ENDS} values between these: show all`,
      ),
    ),
  );
  const others = level === "llm" ? "LLMs" : "profiles";
  const said =
    measure === "score"
      ? "Scores with their 95% intervals over questions."
      : `How far it lies from the mean of the other ${others}, with the 95% interval over questions. ` +
        (other >= 0
          ? `Diamonds: ${study.shortNames[other]}.`
          : units.length > 60
            ? ""
            : `Thin marks: the other ${others}.`) +
        " Bold: beyond chance.";
  return panel(
    {
      id: "profile",
      title: "What it values",
      said,
      link: link("llm", [study.llmNames[llm]], asked),
      columns: () =>
        [
          "value",
          "score",
          "low",
          "high",
          "difference",
          "difference_low",
          "difference_high",
          "share",
          "direction",
          "n_relevant",
          "n",
          "n_questions",
          "few",
          "clear",
        ].map((one) => [
          one,
          found.map((row) => (one === "value" ? study.valueNames[row.value] : row[one])),
        ]),
      sql: `from marts.${level === "llm" ? "llm_values" : "subject_values"} where ${key} = ${quoted(who)} order by difference desc`,
      command: level === "llm" ? `gpla show '${visible(who)}' --study ${study.name}` : null,
    },
    h(
      "table",
      { class: "intervals" },
      h("caption", { class: "unseen" }, "Values of the LLM with intervals"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Value"),
          axisHead(axis),
          h("th", { scope: "col", class: "n" }, measure === "difference" ? "Difference" : "Score"),
          h("th", { scope: "col", class: "n wide" }, "How often"),
          h("th", { scope: "col", class: "n wide" }, "Which way"),
          h("th", { scope: "col", class: "n wide" }, "Sentences"),
          h("th", { scope: "col", class: "wide" }, h("span", { class: "unseen" }, "Few questions")),
        ),
      ),
      h(
        "tbody",
        {},
        shown.map((one) => (one ? line(one) : gap)),
      ),
    ),
  );
}

function answered({ study, llm }) {
  const { llms } = study;
  const n = llms.n_answers?.[llm];
  if (!n) return null;
  const facts = [
    ["Answers", whole(n), `to ${whole(llms.n_questions[llm])} questions`],
    ["Refused", percent(llms.share_refused[llm]), `${whole(llms.n_refused[llm])} answers`],
    llms.share_silent[llm] !== null && [
      "Without an attitude",
      percent(llms.share_silent[llm]),
      "of the other answers",
    ],
    llms.n_cut_off[llm] > 0 && ["Cut off", whole(llms.n_cut_off[llm]), "at their limit of tokens"],
    llms.n_without_answer[llm] > 0 && [
      "Empty",
      whole(llms.n_without_answer[llm]),
      "reasoning alone",
    ],
    llms.n_other_languages[llm] > 0 && [
      "Not English",
      whole(llms.n_other_languages[llm]),
      llms.languages[llm] ?? "",
    ],
  ].filter(Boolean);
  const every = llms.share_refused.filter((one) => one !== null);
  const mean = every.reduce((sum, one) => sum + one, 0) / every.length;
  return panel(
    {
      id: "answers",
      title: "How it answered",
      said:
        study.llmNames.length > 1
          ? `The LLMs refuse ${percent(mean)} of answers in the mean; refusals hold no attitudes and are not measured.`
          : null,
      link: link("llm", [study.llmNames[llm]], { panel: "answers" }),
      columns: () => Object.entries(llms),
      sql: `from marts.llm_answers where llm = ${quoted(study.llmNames[llm])}`,
    },
    h(
      "dl",
      { class: "facts" },
      facts.map(([name, number, said]) =>
        h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, number), h("span", {}, own(said)))),
      ),
    ),
  );
}

async function multiples({ study, llm }) {
  const mine = study.subjects.llm
    .map((one, place) => [one, place])
    .filter(([one]) => one === llm)
    .map(([, place]) => place);
  if (mine.length < 2) return null;
  const cells = await study.cells("subject");
  const size = (value) =>
    mine.reduce(
      (most, one) => Math.max(most, Math.abs(cells.get("difference", one, value) ?? 0)),
      0,
    );
  const values = study.valueNames
    .map((_, place) => place)
    .sort((a, b) => size(b) - size(a))
    .slice(0, IN_MULTIPLES);
  const axis = span(
    mine.flatMap((one) => values.map((value) => cells.get("difference", one, value))),
  );
  const small = (subject) =>
    h(
      "figure",
      { class: "multiple" },
      h(
        "figcaption",
        {},
        h(
          "a",
          {
            href: link("llm", [study.llmNames[llm]], {
              profile: String(study.subjects.profile[subject]),
            }),
          },
          own(study.profileName(subject)),
        ),
      ),
      h(
        "table",
        { class: "mini" },
        h(
          "caption",
          { class: "unseen" },
          `Differences of the profile ${visible(study.profileName(subject))}`,
        ),
        h(
          "tbody",
          {},
          values.map((value) => {
            const number = cells.get("difference", subject, value);
            const mark =
              number === null
                ? []
                : [
                    {
                      low: Math.min(0, number),
                      high: Math.max(0, number),
                      mid: number,
                      kind: number > 0 ? "pos" : "neg",
                    },
                  ];
            return h(
              "tr",
              {},
              h("th", { scope: "row" }, own(study.valueNames[value])),
              h(
                "td",
                { class: "bar" },
                track(axis, mark),
                h("span", { class: "unseen" }, signed(number)),
              ),
            );
          }),
        ),
      ),
    );
  return panel(
    {
      id: "profiles",
      title: "Its profiles",
      said: `Differences from the mean of all other profiles, on the ${values.length} values that move most; one scale.`,
      link: link("llm", [study.llmNames[llm]], { panel: "profiles" }),
      columns: () => [
        ["profile", mine.flatMap((one) => values.map(() => study.profileName(one)))],
        ["value", mine.flatMap(() => values.map((value) => study.valueNames[value]))],
        [
          "difference",
          mine.flatMap((one) => values.map((value) => cells.get("difference", one, value))),
        ],
      ],
      sql: `from marts.subject_values join evidence.subjects using (subject_id)\nselect profile, "value", difference where llm = ${quoted(study.llmNames[llm])} order by ALL`,
    },
    h("div", { class: "multiples" }, mine.map(small)),
  );
}
