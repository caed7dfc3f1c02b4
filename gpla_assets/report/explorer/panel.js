// A panel: its title with a link to itself, what it shows, its numbers as CSV, its SQL.

import { download, h } from "./dom.js";

/** Text of a CSV file; `columns` are [name, list]. What a spreadsheet would run is only text. */
export function csv(columns) {
  const rows = columns[0]?.[1].length ?? 0;
  const lines = [columns.map(([name]) => cell(name)).join(",")];
  for (let row = 0; row < rows; row += 1)
    lines.push(columns.map(([, list]) => cell(list[row])).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A name within SQL. */
export function quoted(text) {
  return `'${String(text).replaceAll("'", "''")}'`;
}

/**
 * A section. `link` is its own address; `columns` makes what its CSV holds; `sql` is what gives
 * its numbers by `gpla sql`.
 */
export function panel({ id, title, said, link, columns, sql, command, level = 2 }, ...content) {
  const heading = `panel-${id}`;
  return h(
    "section",
    { class: "panel", "aria-labelledby": heading, "data-panel": id },
    h(
      "div",
      { class: "panel-head" },
      h(`h${level}`, { id: heading, tabindex: "-1" }, title),
      h(
        "span",
        { class: "tools" },
        link && h("a", { href: link, "aria-label": `Link to ${title}`, class: "tool" }, "Link"),
        columns &&
          h(
            "button",
            {
              type: "button",
              class: "tool",
              "aria-label": `CSV of ${title}`,
              onclick: () => download(`${id}.csv`, "text/csv", () => csv(columns())),
            },
            "CSV",
          ),
      ),
    ),
    said && h("p", { class: "said" }, said),
    content,
    (sql || command) &&
      h(
        "details",
        { class: "sql" },
        h("summary", {}, sql ? "SQL" : "Command"),
        command && h("pre", { tabindex: "0" }, h("code", {}, command)),
        sql && h("pre", { tabindex: "0" }, h("code", {}, sql)),
      ),
  );
}

/** A table; `columns` are {name, list, show, number}. More than `most` rows come on demand. */
export function table(caption, columns, most = 60) {
  const rows = columns[0]?.list.length ?? 0;
  const body = h("tbody");
  const line = (row) =>
    h(
      "tr",
      {},
      columns.map(({ list, show, number }, place) =>
        h(
          place === 0 ? "th" : "td",
          { class: number ? "n" : null, scope: place === 0 ? "row" : null },
          number ? show(list[row]) : h("bdi", {}, show(list[row])),
        ),
      ),
    );
  const add = (first, last) => {
    for (let row = first; row < Math.min(last, rows); row += 1) body.append(line(row));
  };
  add(0, most);
  const whole = h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map(({ name, number }) =>
            h("th", { scope: "col", class: number ? "n" : null }, name),
          ),
        ),
      ),
      body,
    ),
  );
  if (rows <= most) return whole;
  const more = h(
    "button",
    {
      type: "button",
      onclick: () => {
        add(most, rows);
        more.remove();
      },
    },
    `All ${rows} rows`,
  );
  return h("div", {}, whole, more);
}
