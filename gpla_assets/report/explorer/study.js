// The study: LLMs, profiles and values by their places, and what each scores.

import { part } from "./data.js";

/** Cells of units and values, found by both. */
export class Cells {
  constructor(columns, nUnits, nValues) {
    Object.assign(this, { columns, nUnits, nValues });
    this.rows = new Int32Array(nUnits * nValues).fill(-1);
    columns.unit.forEach((unit, row) => {
      this.rows[unit * nValues + columns.value[row]] = row;
    });
  }

  /** Its row; -1 where the unit has no score on the value. */
  row(unit, value) {
    return this.rows[unit * this.nValues + value];
  }

  get(name, unit, value) {
    const row = this.row(unit, value);
    return row < 0 ? null : this.columns[name][row];
  }

  /** Everything of a row, by name; null where there is none. */
  at(unit, value) {
    const row = this.row(unit, value);
    if (row < 0) return null;
    return Object.fromEntries(Object.entries(this.columns).map(([name, own]) => [name, own[row]]));
  }
}

export class Study {
  constructor(core) {
    const { cells, t, ...rest } = core;
    Object.assign(this, rest, { quantiles: t });
    this.llmNames = core.llms?.llm ?? [];
    this.valueNames = core.values?.name ?? [];
    this.measured = this.valueNames.length > 0;
    if (!this.measured) return;
    this.ofLlms = new Cells(cells, this.llmNames.length, this.valueNames.length);
    this.shortNames = shortened(this.llmNames);
    this.several = core.subjects.name.length > this.llmNames.length;
  }

  /** Cells of LLMs, or of their profiles once those are decoded. */
  async cells(level) {
    if (level === "llm") return this.ofLlms;
    this.ofSubjects ??= part("profiles").then(({ cells }) =>
      cells.unit
        ? new Cells(cells, this.subjects.name.length, this.valueNames.length)
        : // one profile an LLM: an LLM's scores are its subject's
          new Cells(this.bySubject(), this.subjects.name.length, this.valueNames.length),
    );
    return this.ofSubjects;
  }

  bySubject() {
    const subjectOf = new Map(this.subjects.llm.map((llm, subject) => [llm, subject]));
    const { columns } = this.ofLlms;
    return { ...columns, unit: columns.unit.map((llm) => subjectOf.get(llm)) };
  }

  profileName(subject) {
    return this.profiles[this.subjects.profile[subject]];
  }

  /** How a unit is called in pictures, and whole. */
  unitName(level, unit, short = true) {
    if (level === "llm") return short ? this.shortNames[unit] : this.llmNames[unit];
    if (this.llmNames.length === 1) return this.profileName(unit);
    const llm = this.subjects.llm[unit];
    return `${short ? this.shortNames[llm] : this.llmNames[llm]} | ${this.profileName(unit)}`;
  }

  factorName(value) {
    const factor = this.values.factor[value];
    return factor === null || factor === undefined ? "" : this.factors.name[factor];
  }

  /** Student's t of a 95% interval over so many questions. */
  t(nQuestions) {
    return this.quantiles[Math.min(Math.max(nQuestions - 1, 1), this.quantiles.length) - 1];
  }
}

/** Names without what stands before the last slash, where they stay different. */
export function shortened(names) {
  const short = names.map((name) => name.slice(name.lastIndexOf("/") + 1) || name);
  const times = new Map();
  for (const name of short) times.set(name, (times.get(name) ?? 0) + 1);
  return names.map((name, place) => (times.get(short[place]) > 1 ? name : short[place]));
}
