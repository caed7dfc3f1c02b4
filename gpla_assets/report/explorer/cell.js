// Why a score is what it is: what each question adds, and the sentences in their answers.

import { part } from "./data.js";
import { choice, h, own, visible } from "./dom.js";
import { interval, percent, plain, signed, whole } from "./numbers.js";
import { panel, quoted } from "./panel.js";
import { link } from "./route.js";
import { span, step } from "./bars.js";

const AT_A_TIME = 20;
const SIDES = { support: "supports", oppose: "opposes", neither: "takes no side" };

export async function cellView(study, level, unit, value, close) {
  const cells = await study.cells(level);
  const row = cells.at(unit, value);
  const name = level === "llm" ? study.llmNames[unit] : study.subjects.name[unit];
  const head = h(
    "div",
    { class: "beside-head" },
    h(
      "h2",
      { tabindex: "-1" },
      own(study.valueNames[value]),
      " of ",
      own(study.unitName(level, unit)),
    ),
    h("button", { type: "button", class: "close", onclick: close, "aria-label": "Close" }, "×"),
  );
  if (!row) return [head, h("p", {}, "No score: nothing that it wrote bears on the value.")];
  const place = cells.row(unit, value);
  const why = await part("why");
  return [
    head,
    summary(study, level, row),
    waterfall(study, level, why, row, place, name, value),
    sentences(study, level, why, unit, value, name, row),
  ];
}

function summary(study, level, row) {
  const others = level === "llm" ? "LLMs" : "profiles";
  const side = row.difference > 0 ? "above" : "below";
  return [
    row.difference !== null &&
      h(
        "p",
        { class: "lead" },
        `${plain(Math.abs(row.difference))} ${side} the mean of the other ${others} ${interval(row.difference_low, row.difference_high, signed)}: `,
        h("b", {}, row.clear ? "beyond chance" : "could be chance"),
        ".",
      ),
    h(
      "dl",
      { class: "facts" },
      fact(
        "Score",
        `${plain(row.score)} ${interval(row.low, row.high)}`,
        `by the rule ${study.rule}`,
      ),
      fact("How often", percent(row.share), "of its sentences bear on the value"),
      fact("Which way", signed(row.direction), "−1 against, +1 for"),
      fact(
        "Rests on",
        `${whole(row.n_questions)} questions`,
        `${whole(row.n_relevant)} of ${whole(row.n)} sentences bear on it`,
      ),
    ),
  ];
}

function fact(name, number, said) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, number), h("span", {}, said)));
}

/** First row of each cell in columns that are ordered by cell. */
function rowsOf(why, cell) {
  if (!why.index) {
    why.index = new Map();
    why.parts.cell.forEach((one, row) => {
      if (!why.index.has(one)) why.index.set(one, []);
      why.index.get(one).push(row);
    });
  }
  return why.index.get(cell) ?? [];
}

function waterfall(study, level, why, row, place, name, value) {
  if (!why.parts || row.difference === null || level !== study.level) return null;
  const rows = rowsOf(why, place);
  if (!rows.length) return null;
  const others = level === "llm" ? "LLMs" : "profiles";
  const from = row.score - row.difference;
  const steps = [];
  let reached = 0;
  for (const one of rows) {
    const added = why.parts.contribution[one];
    const question = why.parts.question[one];
    const text =
      question === null ? "an answer without a question" : why.questions.content[question];
    steps.push({ text, added, from: reached, to: reached + added, own: true });
    reached += added;
  }
  const rest = row.n_questions - rows.length;
  if (rest > 0)
    steps.push({
      text: `${rest} other questions`,
      added: row.difference - reached,
      from: reached,
      to: row.difference,
    });
  const axis = span(steps.flatMap((one) => [one.from, one.to]));
  const line = (label, bar, number) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, label),
      h("td", { class: "bar" }, bar),
      h("td", { class: "n" }, number),
    );
  return panel(
    {
      id: "waterfall",
      level: 3,
      title: "What made this score",
      said: `From the mean of the other ${others}: what the answer to each question adds.`,
      columns: () => [
        ["question", steps.map((one) => one.text)],
        ["adds", steps.map((one) => one.added)],
      ],
      sql: `-- sums of each answer; \`gpla_assets/evaluator/contributions.py\` makes the parts of them\nfrom evidence.expressions where "value" = ${quoted(study.valueNames[value])} and lexicon = 'lexicon'\n    and subject_id in (from evidence.subjects select subject_id where ${level === "llm" ? "llm" : "subject_id"} = ${quoted(name)})`,
    },
    h(
      "table",
      { class: "waterfall" },
      h("caption", { class: "unseen" }, "What each question adds to the score"),
      h(
        "thead",
        { class: "unseen" },
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Question"),
          h("th", { scope: "col" }, "Step"),
          h("th", { scope: "col" }, "Adds"),
        ),
      ),
      h(
        "tbody",
        {},
        line(`Mean of the other ${others}`, null, plain(from)),
        steps.map((one) =>
          line(
            one.own ? own(one.text, { class: "clip", title: visible(one.text) }) : one.text,
            step(axis, one.from, one.to, one.added > 0 ? "pos" : "neg"),
            signed(one.added),
          ),
        ),
        line(
          h("b", {}, "Score"),
          step(axis, 0, row.difference, "total"),
          h("b", {}, plain(row.score)),
        ),
      ),
    ),
  );
}

function sideOf(score) {
  return score === null ? "neither" : score > 0 ? "support" : "oppose";
}

function sentences(study, level, why, unit, value, name, row) {
  const all = why.sentences;
  if (!all) return null;
  const mine = byCell(study, why, level, unit, value);
  const key = level === "llm" ? "llm" : "subject_id";
  const command = `gpla why ${shell(name)} ${shell(study.valueNames[value])} --study ${study.name}`;
  const count = (side) => mine.filter((one) => sideOf(all.score[one]) === side).length;
  const list = h("ol", { class: "sentences" });
  const more = h("button", { type: "button", onclick: () => add() });
  let [side, profile, shown, picked] = ["", "", 0, []];
  const add = () => {
    const next = picked.slice(shown, shown + AT_A_TIME);
    list.append(...next.map((one) => item(study, why, one)));
    shown += next.length;
    more.hidden = shown >= picked.length;
    more.textContent = `${Math.min(AT_A_TIME, picked.length - shown)} more of ${picked.length}`;
  };
  const pick = () => {
    picked = mine.filter(
      (one) =>
        (!side || sideOf(all.score[one]) === side) &&
        (!profile || String(study.subjects.profile[all.subject[one]]) === profile),
    );
    shown = 0;
    list.replaceChildren();
    add();
  };
  pick();
  const profiles = [...new Set(mine.map((one) => study.subjects.profile[all.subject[one]]))];
  const said = mine.length
    ? `${count("support")} support it, ${count("oppose")} oppose it, ${count("neither")} take no side. The most relevant first.` +
      (mine.length < row.n_relevant && why.n > all.value.length
        ? ` The page holds ${mine.length} of ${row.n_relevant}; the command gives all.`
        : "")
    : "No sentence is relevant enough to be marked. By the rule salience a score also rests on how little all sentences have to do with the value.";
  return panel(
    {
      id: "sentences",
      level: 3,
      title: `Sentences (${mine.length})`,
      said,
      link: link("map", [name, study.valueNames[value]], {
        level: level === study.level ? "" : level,
      }),
      columns: mine.length ? () => sentenceColumns(study, why, mine) : null,
      command,
      sql: `from marts.measured_sentences where ${key} = ${quoted(name)}\n    and "value" = ${quoted(study.valueNames[value])} order by relevance desc, perception_id`,
    },
    mine.length > 3 &&
      h(
        "form",
        {
          class: "controls",
          onsubmit: (event) => event.preventDefault(),
          "aria-label": "Which sentences",
        },
        choice("Side", [["", "all"], ...Object.entries(SIDES)], "", (text) => {
          side = text;
          pick();
        }),
        profiles.length > 1 &&
          choice(
            "Profile",
            [["", "all"], ...profiles.map((one) => [String(one), study.profiles[one]])],
            "",
            (text) => {
              profile = text;
              pick();
            },
          ),
      ),
    list,
    mine.length > 0 && more,
  );
}

function shell(text) {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function byCell(study, why, level, unit, value) {
  const { subject, value: values, relevance } = why.sentences;
  if (!why.byValue) {
    why.byValue = study.valueNames.map(() => []);
    values.forEach((one, place) => why.byValue[one]?.push(place));
  }
  const mine = why.byValue[value].filter((one) =>
    level === "llm" ? study.subjects.llm[subject[one]] === unit : subject[one] === unit,
  );
  return mine.sort((a, b) => relevance[b] - relevance[a]);
}

/** A sentence within its answer, marked, with what was asked and how it was read. */
export function item(study, why, one) {
  const { sentences: all, answers, questions, evaluators } = why;
  const answer = all.answer[one];
  const text = answers.text[answer];
  const [start, end] = [all.start[one], all.end[one]];
  const side = sideOf(all.score[one]);
  const question = answers.question[answer];
  const subject = all.subject[one];
  const before = text.slice(0, start);
  const after = text.slice(end);
  const near = 260;
  const cut = (whole, first) =>
    whole.length <= near ? whole : first ? `…${whole.slice(-near)}` : `${whole.slice(0, near)}…`;
  const quote = (a, b) =>
    h(
      "blockquote",
      { dir: "auto" },
      visible(a),
      h("mark", { class: side }, visible(text.slice(start, end))),
      visible(b),
    );
  const short = quote(cut(before, true), cut(after, false));
  const isCut = before.length > near || after.length > near;
  const holder = h("div", {}, short);
  return h(
    "li",
    {},
    h("p", { class: "question" }, own(question === null ? "" : questions.content[question])),
    holder,
    isCut &&
      h(
        "button",
        {
          type: "button",
          class: "tool",
          onclick: (event) => {
            holder.replaceChildren(quote(before, after));
            event.target.remove();
          },
        },
        "Whole passage",
      ),
    all.perception[one] !== null &&
      h("p", { class: "meta" }, "Read as: ", own(all.perception[one])),
    h(
      "p",
      { class: "meta" },
      h("span", { class: `side ${side}` }, SIDES[side]),
      ` ${signed(all.score[one])}; relevance ${plain(all.relevance[one])}; support ${plain(all.p_support[one])}, oppose ${plain(all.p_oppose[one])}, neither ${plain(all.p_either[one])}`,
    ),
    h(
      "p",
      { class: "meta" },
      study.several ? ["profile ", own(study.profileName(subject)), "; "] : null,
      answers.part[answer] === "reasoning" ? "in its reasoning; " : null,
      all.evaluator[one] === null
        ? null
        : ["measured by ", own(evaluators[all.evaluator[one]]), "; "],
      "answer ",
      h("code", {}, answers.response_id[answer]),
    ),
  );
}

function sentenceColumns(study, why, mine) {
  const { sentences: all, answers, questions } = why;
  const of = (list) => mine.map((one) => list[one]);
  return [
    ["subject_id", mine.map((one) => study.subjects.name[all.subject[one]])],
    ["question", mine.map((one) => questions.content[answers.question[all.answer[one]]] ?? "")],
    [
      "words_in_answer",
      mine.map((one) => answers.text[all.answer[one]].slice(all.start[one], all.end[one])),
    ],
    ["perception", mine.map((one) => all.perception[one] ?? "")],
    ["relevance", of(all.relevance)],
    ["score", of(all.score)],
    ["p_support", of(all.p_support)],
    ["p_oppose", of(all.p_oppose)],
    ["p_either", of(all.p_either)],
    ["response_id", mine.map((one) => answers.response_id[all.answer[one]])],
  ];
}
