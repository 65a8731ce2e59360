// Cards of patients: what did not arrive is said at the card, where the thumb is.
"use strict";

const SETTLES_MS = 600;
const changedAt = new WeakMap();
const heights = new Map();
const onTheirWay = new Set();

function cardOf(event) {
  return event.target.closest?.("article, [data-several]");
}

function lostBox(event) {
  return cardOf(event)?.querySelector("[data-lost]");
}

// why: unheard, failed or offline, the sentences of templates/appointments/_lost.html.
function sayAtTheCard(event, why) {
  const lost = lostBox(event);
  if (!lost) return;
  event.stopPropagation(); // the page's own box is far above
  lost.dataset.why = why;
  lost.textContent = lost.dataset[why];
  show(lost);
}

function show(lost) {
  lost.hidden = false;
  lost.scrollIntoView({ block: "nearest" });
}

for (const cards of document.querySelectorAll("[data-cards]")) {
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    cards.addEventListener(name, (event) => {
      sayAtTheCard(event, navigator.onLine ? "unheard" : "offline");
    });
  }
  cards.addEventListener("htmx:responseError", (event) => {
    const { status, responseText } = event.detail.xhr;
    const lost = lostBox(event);
    if (status >= 500) {
      sayAtTheCard(event, "failed");
    } else if (lost && responseText && !responseText.includes("<html")) {
      event.stopPropagation();
      lost.innerHTML = responseText; // ours, and escaped: templates/_components/refusal.html
      show(lost);
    }
  });
  // A refusal comes as the whole card with the reason on it.
  cards.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 409) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  // A card that answers a tap gets no shorter: what stands below it, with buttons of another
  // patient, does not move up under the finger; nor does the page, which ends where it did.
  cards.addEventListener("htmx:beforeRequest", (event) => {
    const card = event.detail.target.closest?.("article");
    if (card) heights.set(card.id, card.offsetHeight);
  });
  cards.addEventListener("htmx:beforeSwap", (event) => {
    cards.style.minHeight = `${cards.offsetHeight}px`;
    event.detail.target.removeAttribute("style"); // htmx would copy it, which the policy forbids
  });
  // The second tap of a double tap must not hit the button that has just appeared there.
  cards.addEventListener("htmx:load", (event) => {
    const height = heights.get(event.target.id);
    if (height) event.target.style.minHeight = `${height}px`;
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
  cards.addEventListener("htmx:beforeSend", (event) => {
    const lost = lostBox(event);
    if (lost) lost.hidden = true;
    const { xhr } = event.detail;
    onTheirWay.add(xhr);
    xhr.addEventListener("loadend", () => onTheirWay.delete(xhr));
  });
}

// --- Several at once: the bar stands where there is a choice, and counts what is ticked -----------
const bar = document.querySelector("[data-several]");

function ticked() {
  return document.querySelectorAll("input[form=several]:checked:not(:disabled)").length;
}

function countTicked() {
  if (!bar) return;
  const number = ticked();
  const fieldset = bar.querySelector("fieldset");
  fieldset.hidden = number === 0;
  for (const button of fieldset.querySelectorAll("[data-many]")) {
    const words = number === 1 ? button.dataset.one : button.dataset.many;
    button.textContent = words.replace("{n}", number);
  }
  if (number > 0) bar.querySelector("#several-result").replaceChildren();
}

if (bar) {
  document.addEventListener("change", countTicked);
  bar.addEventListener("htmx:afterSettle", () => {
    countTicked();
    bar.querySelector("#several-result").focus();
  });
}

// --- Deadlines tick by the hospital's clock, which a page's own clock need not agree with ---------
const RECOUNT_MS = 30_000;
const MINUTE_MS = 60_000;
const metAt = new WeakMap();

function inWords(left, { day, hour, minute }) {
  const minutes = Math.floor(left / MINUTE_MS);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} ${day} ${hours % 24} ${hour}`;
  if (hours > 0) return `${hours} ${hour} ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.max(minutes, 1)} ${minute}`;
}

function isOver(deadline) {
  deadline.setAttribute("role", "alert");
  deadline.classList.add("deadline-over");
  deadline.textContent = deadline.dataset.late;
  for (const control of deadline.closest("article")?.querySelectorAll("[data-decides]") ?? []) {
    control.disabled = true;
  }
}

function recount() {
  for (const time of document.querySelectorAll("time[data-until]")) {
    if (!metAt.has(time)) metAt.set(time, Date.now());
    const now = Number(time.dataset.now) + Date.now() - metAt.get(time);
    const left = Number(time.dataset.until) - now;
    if (left > 0) time.textContent = inWords(left, time.dataset);
    else isOver(time.closest(".deadline"));
  }
  countTicked();
}

recount();
setInterval(recount, RECOUNT_MS);
document.addEventListener("visibilitychange", recount);
document.addEventListener("htmx:load", recount);

// Whoever leaves while a choice is on its way is asked first.
window.addEventListener("beforeunload", (event) => {
  if (onTheirWay.size > 0) event.preventDefault();
});

window.addEventListener("online", () => {
  for (const lost of document.querySelectorAll("[data-lost][data-why=offline]:not([hidden])")) {
    lost.textContent = lost.dataset.back;
  }
});
