// Runs before the page is drawn, so that a dark room gets no white flash. Paper is always light.
"use strict";
{
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paper = window.matchMedia("print");
  const apply = () => {
    const isDark = dark.matches && !paper.matches;
    document.documentElement.dataset.bsTheme = isDark ? "dark" : "light";
  };
  dark.addEventListener("change", apply);
  paper.addEventListener("change", apply);
  apply();
}
