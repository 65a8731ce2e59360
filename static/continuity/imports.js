// When the chosen file was written, as the browser knows it: one hint at the age of the export.
"use strict";

document.getElementById("id_file")?.addEventListener("change", (event) => {
  const [file] = event.target.files;
  document.getElementById("id_file_date").value = file ? file.lastModified : "";
});
