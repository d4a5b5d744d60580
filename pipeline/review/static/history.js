"use strict";
// Undoing a decision from the history.

for (const button of document.querySelectorAll("[data-undo]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    const body = { correction: Number(button.dataset.undo), token: desk.token() };
    const { ok, content } = await desk.insist("/undo", body, desk.say);
    if (ok) location.reload();
    else desk.say(`Not undone: ${content.problem}.`, "alert");
  });
}
