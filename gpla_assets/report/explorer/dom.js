// Elements of a page. Texts become text nodes, never markup, whatever they hold.

// what turns lines around, moves a cursor or is not seen; joiners of words and emoji stay
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
const KEPT = new Set(["\n", "\t", "\u200c", "\u200d"]);

/** A text with what acts on a screen written out. */
export function visible(text) {
  return String(text).replace(HIDDEN, (one) =>
    KEPT.has(one) ? one : "\\u" + one.codePointAt(0).toString(16).padStart(4, "0"),
  );
}

function fill(element, attributes, children) {
  for (const [name, given] of Object.entries(attributes)) {
    if (given === null || given === undefined || given === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), given);
    else if (name === "style")
      for (const [key, value] of Object.entries(given)) element.style.setProperty(key, value);
    else element.setAttribute(name, given === true ? "" : String(given));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
  return element;
}

/** An HTML element: h("a", {href: "#/map", onclick: go}, "text", another). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** A name or text of a model's: its direction ends where it ends. */
export function own(text, attributes = {}) {
  return h("bdi", attributes, text ?? "");
}

/** Options of a select; `options` are [value, text]. */
export function choice(label, options, chosen, onchange) {
  const select = h(
    "select",
    { onchange: (event) => onchange(event.target.value) },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );
  return h("label", { class: "choice" }, h("span", {}, label), select);
}

/** A download that is made when it is asked for. */
export function download(name, type, make) {
  const url = URL.createObjectURL(new Blob([make()], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
