"use strict";
// The digit wall: mark the odd ones, send the rest.

(() => {
  const { byId, count, insist, post, say, token } = desk;
  const wall = byId("wall");
  const made = []; // screenfuls that were sent, for undo
  let tiles = [];
  let reading = "";
  let at = 0;
  let busy = false;

  const buttons = () => [...wall.querySelectorAll(".tile")];

  function columns() {
    const all = buttons();
    const below = all.findIndex((tile) => tile.offsetTop > all[0].offsetTop);
    return below < 0 ? all.length : below;
  }

  function focus(place) {
    const all = buttons();
    if (!all.length) return wall.focus();
    at = Math.min(Math.max(place, 0), all.length - 1);
    all.forEach((tile, index) => (tile.tabIndex = index === at ? 0 : -1));
    all[at].focus();
  }

  function mark(place) {
    const tile = buttons()[place];
    if (!tile) return;
    tile.setAttribute("aria-pressed", tile.getAttribute("aria-pressed") !== "true");
    tellMarks();
  }

  function tellMarks() {
    const odd = wall.querySelectorAll("[aria-pressed=true]").length;
    const name = { _: "blank", X: "struck out" }[reading] || reading;
    say(tiles.length ? `${tiles.length} boxes read as ${name}: ${odd || "none"} marked as odd` : `No box read as ${name} waits.`);
  }

  function countBoxes(digit, change) {
    const place = document.querySelector(`.digit[data-reading="${digit}"] [data-count]`);
    place.textContent = Math.max(0, Number(place.textContent) + change);
  }

  const fetchTiles = () => insist("/wall/take", { reading }, say);

  function show(content) {
    tiles = content.tiles;
    wall.innerHTML = content.markup;
    wall.dataset.screen = token();
    buttons().forEach((tile, place) => tile.addEventListener("click", () => { at = place; mark(place); }));
    tellMarks();
    focus(0);
  }

  async function choose(digit) {
    reading = digit;
    for (const button of document.querySelectorAll(".digit")) {
      button.setAttribute("aria-pressed", button.dataset.reading === digit);
    }
    await post("/leave");
    show((await fetchTiles()).content);
  }

  async function send() {
    if (!tiles.length) return;
    const marks = buttons().map((tile) => tile.getAttribute("aria-pressed") === "true");
    const judged = tiles.map((tile, place) => ({ ...tile, odd: marks[place] }));
    const { ok, content } = await insist("/wall/send", { tiles: judged, token: token() }, say);
    if (!ok) return say("It was not taken; reload this page.", "alert");
    made.push({ tiles: judged, made: content.made, reading });
    count(content.made.length);
    countBoxes(reading, -judged.length);
    show((await fetchTiles()).content);
  }

  async function undo() {
    const last = made.pop();
    if (!last) return say("Nothing to undo on this page; older decisions are in the history.");
    const body = { tiles: last.tiles, made: last.made, token: token() };
    const { ok } = await insist("/wall/undo", body, say);
    if (!ok) return say("It was not undone; see the history.", "alert");
    count(-last.made.length);
    countBoxes(last.reading, last.tiles.length);
    await choose(last.reading);
    say("Undone: the boxes are here again.");
  }

  const MOVES = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: () => columns() };

  function actionOf(event) {
    if (event.altKey || event.metaKey) return null;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (key === "U" || (key === "Z" && event.ctrlKey)) return undo;
    if (event.ctrlKey) return null;
    if (Object.hasOwn(MOVES, key)) return () => focus(at + MOVES[key]());
    if (key === " ") return () => mark(at);
    if (key === "Enter") return send;
    return "0123456789_X".includes(key) ? () => choose(key) : null;
  }

  async function alone(action) {
    if (busy) return; // what is pressed while a screenful is on its way was not meant for the next
    busy = true;
    await action();
    busy = false;
  }

  addEventListener("keydown", (event) => {
    if (event.target.closest("a, .digit")) return;
    const action = actionOf(event);
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || event.key !== "Enter") alone(action);
  });
  for (const button of document.querySelectorAll(".digit")) {
    button.addEventListener("click", async () => {
      while (busy) await new Promise((wake) => setTimeout(wake, 10));
      alone(() => choose(button.dataset.reading));
    });
  }
  const most = [...document.querySelectorAll(".digit")].sort(
    (a, b) => Number(b.querySelector("[data-count]").textContent) - Number(a.querySelector("[data-count]").textContent),
  )[0];
  alone(() => choose(most.dataset.reading));
})();
