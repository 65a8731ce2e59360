// Says visibly what htmx would swallow: a silent server, an error, a refusal.
"use strict";

const problems = document.getElementById("problems");
let lastHeard = new Date();

function say(text) {
  const box = document.createElement("div");
  box.className = "alert alert-danger";
  box.textContent = text;
  problems.replaceChildren(box);
}

// "samedi 14 mai à 16:04:09": a page left open over night must not look like today's.
function inWords(moment) {
  const language = document.documentElement.lang;
  const words = moment.toLocaleString(language, {
    timeZone: "Europe/Brussels",
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  // French alone counts the first of a month apart: "1er mai".
  return language === "fr" ? words.replace(/\b1 (?=\p{L})/u, "1er ") : words;
}

function isReading(event) {
  return event.detail.requestConfig.verb === "get";
}

function sayLost(event, whenWriting) {
  if (isReading(event)) {
    say(`${problems.dataset.stale} ${inWords(lastHeard)}.`);
  } else {
    say(whenWriting);
    problems.scrollIntoView({ block: "nearest" });
  }
}

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => sayLost(event, problems.dataset.unheard));
}

document.addEventListener("htmx:responseError", (event) => {
  const answer = event.detail.xhr.responseText;
  const isRefusal = event.detail.xhr.status < 500 && answer && !answer.includes("<html");
  if (isRefusal) {
    // Written and escaped by our own server: templates/_components/refusal.html.
    problems.innerHTML = answer;
    problems.scrollIntoView({ block: "nearest" });
  } else {
    sayLost(event, problems.dataset.failed);
  }
});

// A refusal stays until the next thing the person does; "no more updates" until there are some.
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (!event.detail.successful) return;
  lastHeard = new Date();
  const isRefusal = problems.querySelector(".refusal") !== null;
  if (!isReading(event) || !isRefusal) problems.replaceChildren();
});

// Drills only: a tap on an account fills the sign-in form.
document.addEventListener("click", (event) => {
  const account = event.target.closest("[data-username]");
  if (!account) return;
  document.getElementById("id_login").value = account.dataset.username;
  document.getElementById("id_password").value = account.dataset.password;
  document.querySelector("form [type=submit].btn-primary").focus();
});

// The day or page that is shown is also the one that is seen, where they scroll sideways.
// Sideways only: the page itself stays at its top.
for (const day of document.querySelectorAll("[aria-current=date], .sections [aria-current]")) {
  let strip = day.parentElement;
  while (strip && strip.scrollWidth <= strip.clientWidth) strip = strip.parentElement;
  if (strip && strip !== document.documentElement && strip !== document.body) {
    const from = day.getBoundingClientRect().left - strip.getBoundingClientRect().left;
    strip.scrollLeft += from - (strip.clientWidth - day.offsetWidth) / 2;
  }
}
