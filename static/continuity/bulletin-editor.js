// The numbers beside the cells: from the first change on, an old one is never left standing.
"use strict";

const editor = document.querySelector(".editor");

function markAll(text) {
  for (const spot of editor.querySelectorAll(".reach")) {
    const chosen = spot.closest(".grid-cell")?.querySelector("select[data-cell]");
    spot.textContent = !chosen || chosen.value ? text : "";
  }
}

// Which layer is on the screen, and which day might be set apart next, changes no number.
editor.addEventListener(
  "change",
  (event) => {
    if (["shown", "new_day"].includes(event.target.name)) event.stopImmediatePropagation();
  },
  true,
);
editor.addEventListener("change", () => markAll("…"));
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  editor.addEventListener(name, (event) => {
    if (event.detail.elt.id === "reach") markAll("?");
  });
}
