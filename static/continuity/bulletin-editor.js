// The numbers beside the cells: from the first change on, an old one is never left standing.
"use strict";

const editor = document.querySelector(".editor");

function markAll(text) {
  for (const spot of editor.querySelectorAll(".reach")) {
    const chosen = spot.parentElement.querySelector("select[data-cell]");
    spot.textContent = !chosen || chosen.value ? text : "";
  }
}

editor.addEventListener("change", () => markAll("…"));
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  editor.addEventListener(name, (event) => {
    if (event.detail.elt.id === "reach") markAll("?");
  });
}
