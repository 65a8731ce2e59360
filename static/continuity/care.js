// Cards of patients: what did not arrive is said at the card, where the thumb is.
"use strict";

const SETTLES_MS = 600;
const changedAt = new WeakMap();

function cardOf(event) {
  return event.target.closest?.("article");
}

function sayAtTheCard(event) {
  const lost = cardOf(event)?.querySelector("[data-lost]");
  if (!lost) return;
  event.stopPropagation(); // the page's own box is far above
  lost.hidden = false;
  lost.scrollIntoView({ block: "nearest" });
}

for (const cards of document.querySelectorAll("[data-cards]")) {
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    cards.addEventListener(name, sayAtTheCard);
  }
  cards.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500) sayAtTheCard(event);
  });
  // A refusal comes as the whole card with the reason on it.
  cards.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 409) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  // The second tap of a double tap must not hit the button that has just appeared there.
  cards.addEventListener("htmx:load", (event) => {
    changedAt.set(event.target, performance.now());
  });
  cards.addEventListener(
    "click",
    (event) => {
      const age = performance.now() - (changedAt.get(cardOf(event)) ?? -Infinity);
      if (age < SETTLES_MS) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true,
  );
  cards.addEventListener("htmx:beforeRequest", (event) => {
    const lost = cardOf(event)?.querySelector("[data-lost]");
    if (lost) lost.hidden = true;
  });
}
