// The frame of both pages: headed sections and the row of figures.

import { element } from "./dom";

export function section(title: string, ...children: readonly Node[]): HTMLElement {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return element("section", { "aria-labelledby": id }, element("h2", { id }, title), ...children);
}

/** Name and figure of each. */
export function figures(shown: readonly (readonly [string, string])[]): HTMLElement {
  const cards = shown.map(([name, figure]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, figure)),
  );
  return element("dl", { class: "figures" }, ...cards);
}
