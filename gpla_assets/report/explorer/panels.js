// Views that are lists of panels: Structure, Benchmarks, Alignment, Method. A panel is a picture of
// plotly, tables, or both; the library is woken when the first picture comes near the screen.

import { part, text } from "./data.js";
import { choice, h } from "./dom.js";
import { general } from "./numbers.js";
import { panel, table } from "./panel.js";
import { link } from "./route.js";

let library = null;

function plotly() {
  library ??= text("plotly").then((code) => {
    const script = document.createElement("script");
    script.textContent = code;
    document.head.append(script);
    return window.Plotly;
  });
  return library;
}

async function declared(view) {
  return (await part("panels")).filter((one) => one.view === view);
}

/** The panels of a view, drawn. */
export async function panelsOf(view) {
  return (await declared(view)).map((one) => drawn(view, one));
}

export async function panelsView(study, { view, names }) {
  const panels = await declared(view);
  const shown = panels.map((one) => drawn(view, one));
  const contents = h(
    "nav",
    { class: "contents", "aria-label": "Panels" },
    panels.map((one) => h("a", { href: link(view, [one.id]) }, one.title)),
  );
  requestAnimationFrame(() => {
    const wanted = document.querySelector(`[data-panel="${CSS.escape(names[0] ?? "")}"]`);
    wanted?.scrollIntoView();
    wanted?.querySelector("h2")?.focus({ preventScroll: true });
  });
  return [contents, shown];
}

function drawn(view, one) {
  const first = one.tables[0];
  return panel(
    {
      id: one.id,
      title: one.title,
      said: one.said,
      link: link(view, [one.id]),
      columns: first && (() => Object.entries(first.columns)),
      sql: one.sql,
    },
    one.cautions?.map((caution) => h("p", { class: "caution", role: "note" }, caution)),
    one.figure && figure(one),
    one.tables.map((own) => folded(one.title, own)),
    one.settings &&
      h("pre", { class: "settings", tabindex: "0" }, JSON.stringify(one.settings, null, 2)),
  );
}

function folded(of, { title, columns, open }) {
  const entries = Object.entries(columns);
  const number = (list) =>
    list.some((one) => typeof one === "number") &&
    list.every((one) => one === null || typeof one === "number");
  const body = () =>
    table(
      `${of}: ${title}`,
      entries.map(([name, list]) => ({
        name: name.replaceAll("_", " "),
        list,
        show: general,
        number: number(list),
      })),
    );
  const n = entries[0]?.[1].length ?? 0;
  const details = h(
    "details",
    { class: "rows", open },
    h("summary", {}, n > 1 ? `${title} (${n} rows)` : title),
    open && body(),
  );
  // a folded table is made when it is opened
  if (!open) details.addEventListener("toggle", () => details.append(body()), { once: true });
  return details;
}

/** A picture, drawn when it comes near the screen. Its menus become selects of the page. */
function figure({ title, figure: { data, layout } }) {
  const { updatemenus = [], template, ...rest } = layout;
  const holder = h("div", {
    class: "plot",
    role: "img",
    "aria-label": title,
    style: { "min-height": `${layout.height ?? 400}px` },
  });
  const menus = updatemenus.map((menu, place) =>
    choice(
      place === 0 ? "Across" : "Up",
      menu.buttons.map((one, at) => [String(at), one.label.replace(/^[xy]: /, "")]),
      String(menu.active ?? 0),
      async (at) =>
        (await plotly()).update(holder, ...structuredClone(menu.buttons[Number(at)].args)),
    ),
  );
  const draw = async () => {
    const library = await plotly();
    await library.newPlot(
      holder,
      data,
      { ...rest, template: LOOK },
      { displaylogo: false, responsive: true, displayModeBar: false },
    );
    holder.dataset.drawn = "";
  };
  new IntersectionObserver(
    (seen, observer) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      observer.disconnect();
      draw();
    },
    { rootMargin: "400px" },
  ).observe(holder);
  return h(
    "div",
    { class: "figure" },
    menus.length > 0 && h("div", { class: "controls" }, menus),
    holder,
  );
}

const GRID = {
  gridcolor: "#e4ebf1",
  linecolor: "#e4ebf1",
  zerolinecolor: "#c3ccd5",
  automargin: true,
};
const LOOK = { layout: { paper_bgcolor: "#fff", plot_bgcolor: "#fff", xaxis: GRID, yaxis: GRID } };
