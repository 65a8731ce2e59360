// The button of a page made for paper.
for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => window.print());
}
