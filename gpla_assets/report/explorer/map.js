// The first view: what a study found in a sentence, and how far each LLM is from the others on each
// value. The longer of the two lists stands in rows; only rows that can be seen are in the page.

import { choice, h, own, visible } from "./dom.js";
import { interval, signed, whole } from "./numbers.js";
import { panel } from "./panel.js";
import { go, keep, link } from "./route.js";
import { cellView } from "./cell.js";

const ROW = 26;
const AHEAD = 6;
const MOST_NUMBERED = 16;
const FEWEST_SENTENCES = 5;

export async function mapView(study, { names, query }) {
  const asked = Object.fromEntries(query);
  const level = asked.level ?? study.level;
  const cells = await study.cells(level);
  const map = new HeatMap(study, level, cells, asked, names);
  const aside = h("aside", { class: "beside", "aria-label": "Selected score" });
  const root = h("div", { class: "split" }, h("div", { class: "main" }, map.root), aside);
  const open = async (unit, value, focus) => {
    root.classList.add("open");
    const content = await cellView(study, level, unit, value, () => map.close());
    aside.replaceChildren(...content.flat(Infinity).filter(Boolean));
    if (focus) aside.querySelector("h2")?.focus({ preventScroll: window.innerWidth > 1100 });
  };
  map.opened = open;
  map.closed = () => {
    root.classList.remove("open");
    aside.replaceChildren();
  };
  const chosen = map.chosen();
  if (chosen) await open(...chosen, false);
  return [verdict(study), root];
}

function verdict(study) {
  const [first, ...rest] = study.verdict;
  return h(
    "section",
    { class: "verdict", "aria-label": "What was found" },
    h("p", { class: "lead" }, own(first)),
    h(
      "p",
      { class: "rest" },
      rest.map((one) => [own(one), " "]),
    ),
    study.cautions.length > 0 &&
      h(
        "details",
        { class: "cautions" },
        h("summary", {}, `${study.cautions.length} caution${study.cautions.length > 1 ? "s" : ""}`),
        h(
          "ul",
          {},
          study.cautions.map((one) => h("li", {}, own(one))),
        ),
      ),
  );
}

class HeatMap {
  constructor(study, level, cells, asked, names) {
    Object.assign(this, { study, level, cells, asked, names });
    this.units =
      level === "llm"
        ? study.llmNames.map((_, place) => place)
        : study.subjects.name.map((_, place) => place);
    this.values = study.valueNames.map((_, place) => place);
    this.unitTexts = this.units.map((one) => visible(study.unitName(level, one)));
    this.valueTexts = study.valueNames.map(visible);
    this.deep = new Map(this.values.map((value) => [value, this.depth(value)]));
    this.top = this.scale();
    this.focus = [0, 0];
    this.body = h("tbody");
    this.head = h("thead");
    this.table = h(
      "table",
      {
        role: "grid",
        class: "heat",
        "aria-label": "Difference of each score from the mean of the others",
      },
      this.head,
      this.body,
    );
    this.frame = h("div", { class: "frame", onscroll: () => this.later() }, this.table);
    this.told = h("p", { class: "told", role: "status" });
    this.table.addEventListener("click", (event) => this.click(event));
    // what a cell says to a screen reader, to whoever points at it
    this.table.addEventListener("mouseover", (event) => {
      const cell = event.target.closest("td[data-row]");
      if (cell) cell.title = cell.getAttribute("aria-label");
    });
    this.table.addEventListener("keydown", (event) => this.key(event));
    this.root = this.drawn();
    this.order();
    // once it stands in the page its height is known
    requestAnimationFrame(() => this.rows(true));
    window.addEventListener("resize", () => this.later());
  }

  drawn() {
    const { study, level } = this;
    return panel(
      {
        id: "map",
        title:
          level === "llm"
            ? "What each LLM values, against the others"
            : "What each profile values, against the others",
        link: link("map", [], this.asked),
        columns: () => this.columns(),
        sql:
          level === "llm"
            ? 'from marts.llm_values select llm, "value", difference, difference_low, difference_high,\n    score, low, high, n, n_relevant, n_questions, few order by llm, "value"'
            : 'from marts.subject_values select subject_id, "value", difference, difference_low,\n    difference_high, score, low, high, n, n_relevant, n_questions, few order by ALL',
      },
      this.controls(),
      legend(this.top),
      this.frame,
      this.told,
    );
  }

  controls() {
    const { study, asked } = this;
    const change = (name) => (text) => {
      this.asked[name] = text;
      keep("map", this.names, this.asked);
      this.order();
      this.rows(true);
    };
    const search = (name, label) =>
      h(
        "label",
        { class: "choice" },
        h("span", {}, label),
        h("input", {
          type: "search",
          value: asked[name] ?? "",
          oninput: (event) => change(name)(event.target.value),
        }),
      );
    const families = [...new Set(study.llms.family.filter(Boolean))].sort();
    const factors = study.factors.name.map((name, place) => [String(place), visible(name)]);
    const any = (text) => ["", text];
    // on a phone the picture comes first
    const open = window.innerWidth > 700 || Object.keys(asked).length > 0;
    return h(
      "details",
      { class: "filters", open },
      h("summary", {}, "Find, filter, order"),
      h(
        "form",
        {
          class: "controls",
          onsubmit: (event) => event.preventDefault(),
          "aria-label": "Filters and order",
        },
        study.llmNames.length > 1 &&
          study.several &&
          choice(
            "Show",
            [
              ["llm", "LLMs, means of profiles"],
              ["subject", "each profile"],
            ],
            this.level,
            (text) => go("map", [], { ...asked, level: text }),
          ),
        search("value", "Find values"),
        search("llm", this.level === "llm" ? "Find LLMs" : "Find LLMs or profiles"),
        families.length > 1 &&
          choice(
            "Family",
            [any("all families"), ...families.map((one) => [one, one])],
            asked.family ?? "",
            change("family"),
          ),
        this.level === "subject" &&
          study.profiles.length > 1 &&
          study.llmNames.length > 1 &&
          choice(
            "Profile",
            [any("all profiles"), ...study.profiles.map((one, place) => [String(place), one])],
            asked.profile ?? "",
            change("profile"),
          ),
        factors.length > 0 &&
          choice("Factor", [any("all factors"), ...factors], asked.factor ?? "", change("factor")),
        choice(
          "Order of values",
          [
            ["", "clearest differences first"],
            ["name", "by name"],
            ...(factors.length ? [["factor", "by factor"]] : []),
            ["said", "most sentences first"],
          ],
          asked.by ?? "",
          change("by"),
        ),
        choice(
          "Order of " + (this.level === "llm" ? "LLMs" : "profiles"),
          [
            ["", "by name"],
            ["family", "by family"],
            ["far", "farthest from the others first"],
            ...(asked.on ? [["on", `by ${asked.on}`]] : []),
          ],
          asked.units ?? "",
          change("units"),
        ),
      ),
    );
  }

  /** How clear differences on a value are: how far its clear cells lie out, then the others. */
  depth(value) {
    const { difference, clear, n_relevant: relevant } = this.cells.columns;
    let [clearest, farthest, said] = [0, 0, 0];
    for (const unit of this.units) {
      const row = this.cells.row(unit, value);
      if (row < 0) continue;
      const size = Math.abs(difference[row] ?? 0);
      if (clear[row]) clearest = Math.max(clearest, size);
      farthest = Math.max(farthest, size);
      said += relevant[row];
    }
    return { clearest, farthest, said };
  }

  /** The difference that has the full colour: few lie farther out. */
  scale() {
    const sizes = this.cells.columns.difference
      .filter((one) => one !== null)
      .map(Math.abs)
      .sort((a, b) => a - b);
    return sizes[Math.floor(0.98 * (sizes.length - 1))] || 1;
  }

  order() {
    const { study, asked, level } = this;
    const fold = (text) => text.toLocaleLowerCase();
    const wanted = fold(asked.value ?? "");
    const values = this.values.filter(
      (one) =>
        fold(study.valueNames[one]).includes(wanted) &&
        (!asked.factor || String(study.values.factor[one]) === asked.factor),
    );
    const who = fold(asked.llm ?? "");
    const llmOf = (unit) => (level === "llm" ? unit : study.subjects.llm[unit]);
    const units = this.units.filter(
      (one) =>
        fold(study.unitName(level, one, false)).includes(who) &&
        (!asked.family || study.llms.family[llmOf(one)] === asked.family) &&
        (!asked.profile ||
          level === "llm" ||
          String(study.subjects.profile[one]) === asked.profile),
    );
    const name = (one) => fold(study.valueNames[one]);
    const byName = (a, b) => (name(a) < name(b) ? -1 : 1);
    const deep = (one) => this.deep.get(one);
    const orders = {
      "": (a, b) => deep(b).clearest - deep(a).clearest || deep(b).farthest - deep(a).farthest,
      name: byName,
      factor: (a, b) =>
        (study.values.factor[a] ?? 1e9) - (study.values.factor[b] ?? 1e9) || byName(a, b),
      said: (a, b) => deep(b).said - deep(a).said || byName(a, b),
    };
    values.sort(orders[asked.by ?? ""] ?? orders[""]);
    const on = study.valueNames.indexOf(asked.on ?? "");
    const far = (unit) =>
      this.values.reduce(
        (most, value) => Math.max(most, Math.abs(this.cells.get("difference", unit, value) ?? 0)),
        0,
      );
    if (asked.units === "family")
      units.sort((a, b) =>
        (study.llms.family[llmOf(a)] ?? "~").localeCompare(study.llms.family[llmOf(b)] ?? "~"),
      );
    if (asked.units === "far") {
      const sizes = new Map(units.map((unit) => [unit, far(unit)]));
      units.sort((a, b) => sizes.get(b) - sizes.get(a));
    }
    if (asked.units === "on" && on >= 0)
      units.sort(
        (a, b) =>
          (this.cells.get("difference", b, on) ?? -1e9) -
          (this.cells.get("difference", a, on) ?? -1e9),
      );
    this.byValue = this.values.length >= this.units.length || this.units.length <= MOST_NUMBERED;
    [this.down, this.across] = this.byValue ? [values, units] : [units, values];
    this.told.textContent = `${whole(values.length)} values, ${whole(units.length)} ${level === "llm" ? "LLMs" : "profiles"}`;
    this.focus = [0, 0];
    this.header();
  }

  pair(row, column) {
    return this.byValue
      ? [this.across[column], this.down[row]]
      : [this.down[row], this.across[column]];
  }

  title(isValue, place) {
    return isValue ? this.study.valueNames[place] : this.study.unitName(this.level, place);
  }

  header() {
    const isValue = !this.byValue;
    const wide = this.across.length <= MOST_NUMBERED;
    this.table.classList.toggle("numbered", wide);
    this.table.style.setProperty("--n", this.across.length);
    this.table.setAttribute("aria-rowcount", this.down.length + 1);
    this.table.setAttribute("aria-colcount", this.across.length + 1);
    this.head.replaceChildren(
      h(
        "tr",
        { "aria-rowindex": 1 },
        h(
          "th",
          { scope: "col", class: "corner" },
          this.byValue ? "Value" : this.level === "llm" ? "LLM" : "Profile",
        ),
        this.across.map((place, column) =>
          h(
            "th",
            { scope: "col", "aria-colindex": column + 2, class: "turned" },
            this.label(isValue, place),
          ),
        ),
      ),
    );
  }

  label(isValue, place) {
    const text = this.title(isValue, place);
    if (isValue)
      return h(
        "button",
        {
          type: "button",
          class: "label",
          title: `Order ${this.level === "llm" ? "LLMs" : "profiles"} by ${visible(text)}`,
          "data-on": text,
        },
        own(text),
      );
    const llm = this.level === "llm" ? place : this.study.subjects.llm[place];
    const query =
      this.level === "llm" ? {} : { profile: String(this.study.subjects.profile[place]) };
    return h(
      "a",
      {
        class: "label",
        href: link("llm", [this.study.llmNames[llm]], query),
        title: visible(this.study.unitName(this.level, place, false)),
      },
      own(text),
    );
  }

  later() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.rows(false);
    });
  }

  /** Put the rows that can be seen into the page, and space where the others would be. */
  rows(anew) {
    const n = this.down.length;
    const few = n * this.across.length <= 4000;
    const first = few ? 0 : Math.max(0, Math.floor(this.frame.scrollTop / ROW) - AHEAD);
    const seen = Math.ceil((this.frame.clientHeight || 600) / ROW) + 2 * AHEAD;
    const last = few ? n : Math.min(n, first + seen);
    if (!anew && first === this.first && last === this.last) return;
    Object.assign(this, { first, last });
    const rows = [];
    for (let row = first; row < last; row += 1) rows.push(this.line(row));
    const gap = (count) =>
      count > 0 &&
      h(
        "tr",
        { class: "gap", "aria-hidden": "true" },
        h("td", { style: { height: `${count * ROW}px` }, colspan: this.across.length + 1 }),
      );
    this.body.replaceChildren(...[gap(first), ...rows, gap(n - last)].filter(Boolean));
  }

  line(row) {
    const place = this.down[row];
    return h(
      "tr",
      { "aria-rowindex": row + 2 },
      h("th", { scope: "row" }, this.label(this.byValue, place)),
      this.across.map((_, column) => this.cell(row, column)),
    );
  }

  cell(row, column) {
    const [unit, value] = this.pair(row, column);
    const at = this.cells.row(unit, value);
    const focused = row === this.focus[0] && column === this.focus[1];
    const common = {
      role: "gridcell",
      tabindex: focused ? 0 : -1,
      "aria-colindex": column + 2,
      "data-row": row,
      "data-column": column,
    };
    const named = `${this.unitTexts[unit]}, ${this.valueTexts[value]}`;
    if (at < 0) return h("td", { ...common, class: "none", "aria-label": `${named}: no score` });
    const {
      difference,
      difference_low: low,
      difference_high: high,
      clear,
      few,
      n_relevant: said,
    } = this.cells.columns;
    const size = difference[at];
    const thin = few[at] || said[at] < FEWEST_SENTENCES;
    const kind =
      size === null
        ? "none"
        : `${size > 0 ? "pos" : "neg"}${thin ? " thin" : ""}${clear[at] ? " clear" : ""}`;
    const chosen = this.names[0] !== undefined && this.isChosen(unit, value);
    const text = `${named}: ${signed(size)} ${interval(low[at], high[at], signed)}${clear[at] ? ", clear" : ""}${thin ? ", few sentences" : ""}`;
    return h(
      "td",
      {
        ...common,
        class: kind,
        "aria-label": text,
        "aria-selected": chosen ? "true" : null,
        style: {
          "--x": `${Math.round(Math.min(1, Math.abs(size ?? 0) / this.top) * (thin ? 45 : 100))}%`,
        },
      },
      this.across.length <= MOST_NUMBERED ? signed(size, 1) : "",
    );
  }

  isChosen(unit, value) {
    const chosen = this.chosen();
    return chosen !== null && chosen[0] === unit && chosen[1] === value;
  }

  chosen() {
    const [who, what] = this.names;
    if (what === undefined) return null;
    const value = this.study.valueNames.indexOf(what);
    const unit = (this.level === "llm" ? this.study.llmNames : this.study.subjects.name).indexOf(
      who,
    );
    return unit < 0 || value < 0 ? null : [unit, value];
  }

  click(event) {
    const cell = event.target.closest("td[data-row]");
    const on = event.target.closest("[data-on]");
    if (cell) this.open(Number(cell.dataset.row), Number(cell.dataset.column));
    else if (on) {
      const asked = { ...this.asked, on: on.dataset.on, units: "on" };
      go("map", this.names, asked);
    }
  }

  open(row, column) {
    const [unit, value] = this.pair(row, column);
    const name = (this.level === "llm" ? this.study.llmNames : this.study.subjects.name)[unit];
    this.names = [name, this.study.valueNames[value]];
    keep("map", this.names, this.asked);
    this.table.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
    this.move(row, column);
    this.at(row, column)?.setAttribute("aria-selected", "true");
    this.opened(unit, value, true);
  }

  close() {
    this.names = [];
    keep("map", [], this.asked);
    this.table.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
    this.closed();
    this.at(...this.focus)?.focus();
  }

  at(row, column) {
    return this.body.querySelector(`td[data-row="${row}"][data-column="${column}"]`);
  }

  move(row, column) {
    this.at(...this.focus)?.setAttribute("tabindex", "-1");
    this.focus = [row, column];
    const top = row * ROW;
    if (row < this.first || row >= this.last) {
      this.frame.scrollTop = top;
      this.rows(true);
    }
    const cell = this.at(row, column);
    cell?.setAttribute("tabindex", "0");
    return cell;
  }

  key(event) {
    if (!event.target.closest("td[data-row]")) return;
    const [row, column] = this.focus;
    const page = 12;
    const to = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [row - page, column],
      PageDown: [row + page, column],
      Home: [row, 0],
      End: [row, this.across.length - 1],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.open(row, column);
    else if (to) {
      const within = (one, n) => Math.min(Math.max(one, 0), n - 1);
      this.move(within(to[0], this.down.length), within(to[1], this.across.length))?.focus();
    } else return;
    event.preventDefault();
  }

  columns() {
    const { study, level, cells } = this;
    const { unit, value, clear, ...rest } = cells.columns;
    const names = level === "llm" ? study.llmNames : study.subjects.name;
    return [
      [level === "llm" ? "llm" : "subject_id", unit.map((one) => names[one])],
      ["value", value.map((one) => study.valueNames[one])],
      ...Object.entries(rest),
      ["clear", clear],
    ];
  }
}

function legend(top) {
  const swatch = (kind, share, text) =>
    h(
      "span",
      { class: "key" },
      h("i", { class: `swatch ${kind}`, style: { "--x": share }, "aria-hidden": "true" }),
      text,
    );
  return h(
    "p",
    { class: "legend" },
    swatch("neg", "100%", `${signed(-top, 1)} or lower`),
    swatch("neg", "0%", "as the others"),
    swatch("pos", "100%", `${signed(top, 1)} or higher`),
    swatch("pos clear", "70%", "framed: beyond chance"),
    swatch("pos thin", "30%", `pale: under ${FEWEST_SENTENCES} sentences`),
    h(
      "span",
      { class: "hint" },
      "Beyond chance: over all cells of the map (Holm, p < .05). Click a cell for the sentences behind it, an LLM for its profile.",
    ),
  );
}
