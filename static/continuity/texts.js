// The variables beside a text become buttons that write them where the cursor stands.
"use strict";

const written = document.getElementById("id_body");

function insert(words) {
  const start = written.selectionStart;
  written.setRangeText(words, start, written.selectionEnd, "end");
  written.focus();
  written.dispatchEvent(new Event("input", { bubbles: true }));
}

for (const code of document.querySelectorAll("[data-insert]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm btn-outline-primary variable";
  button.append(code.cloneNode(true));
  button.addEventListener("click", () => insert(code.textContent));
  code.replaceWith(button);
}
