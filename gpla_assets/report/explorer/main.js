// The page: its views by their links, and what stands around them.

import { part } from "./data.js";
import { h, own } from "./dom.js";
import { compareView } from "./compare.js";
import { mapView } from "./map.js";
import { panelsView } from "./panels.js";
import { profileView } from "./profile.js";
import { link, parse } from "./route.js";
import { Study } from "./study.js";

const TITLES = {
  map: "Overview",
  llm: "One LLM",
  compare: "Compare",
  structure: "Structure",
  benchmarks: "Benchmarks",
  alignment: "Alignment",
  method: "Method",
};
const VIEWS = { map: mapView, llm: profileView, compare: compareView };

const study = new Study(await part("core"));
const main = document.getElementById("main");
const nav = document.getElementById("views");

/** Views that have anything to show. */
function views() {
  const found = study.measured ? ["map", "llm"] : [];
  const units =
    study.measured && study.level === "llm" ? study.llmNames : (study.subjects?.name ?? []);
  if (study.measured && units.length > 1) found.push("compare");
  return [...new Set([...found, ...study.views])];
}

let showing = 0;

async function show() {
  const route = parse(location.hash);
  if (!views().includes(route.view)) route.view = views()[0];
  nav.replaceChildren(
    ...views().map((view) =>
      h(
        "a",
        { href: link(view), "aria-current": view === route.view ? "page" : null },
        TITLES[view],
      ),
    ),
  );
  const mine = (showing += 1);
  const content = await (VIEWS[route.view] ?? panelsView)(study, route);
  if (mine !== showing) return;
  const moved = main.dataset.view !== undefined;
  const changed = main.dataset.view !== route.view;
  main.dataset.view = route.view;
  document.title = `${TITLES[route.view]}: ${study.name}`;
  main.replaceChildren(...content.flat(Infinity).filter(Boolean));
  main.dataset.ready = String(mine);
  if (changed) window.scrollTo(0, 0);
  if (moved && changed) main.focus({ preventScroll: true });
  const panel = route.query.get("panel");
  if (panel) main.querySelector(`[data-panel="${CSS.escape(panel)}"]`)?.scrollIntoView();
}

document
  .getElementById("about")
  .replaceChildren(own(study.description ? `${study.description} ` : ""), `Made ${study.made}.`);
window.addEventListener("hashchange", show);
await show();
performance.mark("shown");
// what clicks need is decoded while nobody waits
(window.requestIdleCallback ?? setTimeout)(
  () => study.measured && part("why").then(() => study.several && part("profiles")),
);
