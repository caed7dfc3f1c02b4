// Where one is: #/view/name/name?key=value. Every view and panel has such a link to itself.

export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const names = path.split("/").filter(Boolean).map(decoded);
  return { view: names[0] ?? "map", names: names.slice(1), query: new URLSearchParams(query) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function link(view, names = [], query = {}) {
  const path = [view, ...names].map(encodeURIComponent).join("/");
  const kept = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const asked = new URLSearchParams(kept).toString();
  return `#/${path}${asked ? `?${asked}` : ""}`;
}

export function go(view, names = [], query = {}) {
  location.hash = link(view, names, query);
}

/** Change the link without going anywhere. */
export function keep(view, names, query) {
  history.replaceState(null, "", link(view, names, query));
}
