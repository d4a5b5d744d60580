"use strict";
// Field by field: the next fields are on the page, unseen, before the present one is decided.

(() => {
  const AHEAD = 8;
  const PAINTED_MS = 30; // the next field is shown first, then the server is kept busy
  const BLIND = document.body.dataset.task === "second"; // nothing that was read is shown
  const { byId, count, insist, post, say, token } = desk;
  const stage = byId("stage");
  const empty = byId("empty");
  const items = []; // the first is the one shown
  const unsent = []; // accepted as they were read, and not yet acknowledged
  const made = []; // corrections that this page made, for undo
  const held = []; // keys pressed while an answer is awaited
  const { template, field } = stage.dataset; // all fields where these are empty
  let wanted = Number(stage.dataset.wanted) || null;
  let fetching = false;
  let sending = false;
  let busy = false;

  function prepare(drawn) {
    const shell = document.createElement("template");
    shell.innerHTML = drawn.markup;
    const node = shell.content.firstElementChild;
    node.inert = true;
    stage.append(node);
    const read = [...drawn.raw.padEnd(node.querySelectorAll(".box").length, " ")];
    return {
      id: drawn.id, node, seen: drawn.seen, start: drawn.start,
      read, raw: [...read], cursor: drawn.start, sure: false,
    };
  }

  function show() {
    const item = items[0];
    for (const each of items) {
      each.node.classList.toggle("now", each === item);
      each.node.classList.toggle("next", each === items[1]);
      each.node.inert = each !== item;
    }
    empty.hidden = Boolean(item);
    if (!item) {
      if (!fetching) empty.textContent = "Nothing waits: every field of this queue is decided, or with somebody else.";
      stage.dataset.shown = "";
      return;
    }
    stage.dataset.shown = item.id;
    draw(item);
  }

  function draw(item) {
    item.node.querySelectorAll(".box").forEach((box, place) => {
      const text = box.querySelector("text");
      if (text.textContent !== item.raw[place]) text.textContent = item.raw[place];
      box.classList.toggle("at", place === item.cursor);
      box.classList.toggle("changed", item.raw[place] !== item.read[place]);
    });
    const at = item.node.querySelector(".box.at");
    const spot = at
      ? `Box ${item.cursor + 1} of ${item.raw.length}: ${at.classList.contains("changed") ? `you typed ${item.raw[item.cursor]}` : at.dataset.words}`
      : `All ${item.raw.length} boxes: Enter accepts`;
    item.node.querySelector("[data-spot]").textContent = spot;
  }

  function drop(item) {
    items.splice(items.indexOf(item), 1);
    item.node.remove();
  }

  async function refill() {
    if (fetching || items.length > AHEAD - 2) return;
    fetching = true;
    const have = [...items.map((item) => item.id), ...unsent.map((each) => each.item.id)];
    const path = BLIND ? "/second/items" : "/items";
    const asked = { count: AHEAD - items.length, have, wanted, template, field };
    const { ok, content } = await post(path, asked);
    fetching = false;
    if (!ok) {
      say(`No fields come: ${content.problem || "the server does not answer"}. Trying again.`, "alert");
      setTimeout(refill, 1000);
      return;
    }
    wanted = null;
    const known = new Set(items.map((item) => item.id));
    const isFirst = items.length === 0;
    items.push(...content.filter((drawn) => !known.has(drawn.id)).map(prepare));
    if (isFirst || items.length === 1 + content.length) show();
    if (!items.length) setTimeout(refill, 5000); // somebody may give a field back
  }

  function next(item) {
    drop(item);
    show();
    setTimeout(refill, PAINTED_MS);
  }

  function decision(item) {
    return { field: item.id, raw: item.raw.join(""), seen: item.seen, token: item.token ??= token(), sure: item.sure };
  }

  async function accept() {
    const item = items[0];
    if (item.raw.includes(" ")) {
      say(`Every one of the ${item.raw.length} boxes needs a digit, or B, X or I.`, "alert");
      return;
    }
    say("");
    if (item.raw.every((mark, place) => mark === item.read[place])) {
      unsent.push({ item, body: decision(item) });
      next(item);
      setTimeout(send, PAINTED_MS);
      return;
    }
    const body = decision(item);
    const { ok, content } = BLIND
      ? await insist("/second/key", { field: body.field, raw: body.raw, token: body.token }, say)
      : await insist("/decide", body, say);
    if (ok) {
      if (content.correction) made.push(content.correction);
      count(1);
      next(item);
    } else refuse(item, content);
  }

  function refuse(item, content) {
    item.token = undefined;
    if (content.unlikely) {
      item.sure = true;
      say(`${content.unlikely}. Enter again keeps it as it is written.`, "alert");
    } else say(`${content.problem || "It was not taken"}.`, "alert");
    if (content.problem && items.includes(item)) next(item);
  }

  async function send() {
    if (sending) return;
    sending = true;
    while (unsent.length) {
      const { item, body } = unsent[0];
      const { ok, content } = await insist("/decide", body, say);
      unsent.shift();
      if (ok) {
        made.push(content.correction);
        count(1);
      } else {
        if (content.unlikely) bringBack(item);
        refuse(item, content);
      }
    }
    sending = false;
  }

  function bringBack(item) {
    stage.append(item.node);
    items.unshift(item);
    show();
  }

  async function undo() {
    while (unsent.length) await new Promise((wake) => setTimeout(wake, 20));
    const correction = made.pop();
    if (!correction) {
      say("Nothing to undo on this page; older decisions are in the history.");
      return;
    }
    const { ok, content } = await insist("/undo", { correction, token: token() }, say);
    if (!ok) {
      say(`Not undone: ${content.problem}.`, "alert");
      return;
    }
    count(-1);
    say("Undone: the field is here again.");
    if (content.item) bringBack(prepare(content.item));
  }

  function skip() {
    const item = items[0];
    post("/skip", { field: item.id });
    say("Skipped: it comes again at the end.");
    next(item);
  }

  function put(mark) {
    const item = items[0];
    if (item.cursor >= item.raw.length) {
      say(`All ${item.raw.length} boxes are passed. Home goes to the first, Enter accepts.`, "alert");
      return;
    }
    item.raw[item.cursor] = mark;
    item.cursor += 1;
    edited(item);
  }

  function fill(mark) {
    const item = items[0];
    item.raw.fill(mark);
    item.cursor = item.raw.length;
    edited(item);
  }

  function edited(item) {
    item.sure = false;
    item.token = undefined;
    say("");
    draw(item);
  }

  function move(to) {
    const item = items[0];
    item.cursor = Math.min(Math.max(to, 0), item.raw.length);
    draw(item);
  }

  function backspace() {
    const item = items[0];
    move(item.cursor - 1);
    item.raw[item.cursor] = item.read[item.cursor];
    edited(item);
  }

  function asRead() {
    const item = items[0];
    item.raw = [...item.read];
    item.cursor = item.start;
    edited(item);
  }

  const MARKS = { b: "_", _: "_", " ": "_", x: "X", "*": "X", i: "#", "#": "#", "/": "#" };
  const ACTIONS = {
    Enter: accept,
    s: skip,
    "+": skip,
    ArrowLeft: () => move(items[0].cursor - 1),
    ArrowRight: () => move(items[0].cursor + 1),
    Home: () => move(0),
    End: () => move(items[0].raw.length),
    Backspace: backspace,
    Escape: asRead,
  };

  function actionOf(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "u" || key === "-" || (key === "z" && event.ctrlKey)) return undo;
    if (event.ctrlKey || event.altKey || event.metaKey || !items.length) return null;
    if (key >= "0" && key <= "9" && key.length === 1) return () => put(key);
    if (event.shiftKey && "bxi".includes(key)) return () => fill(MARKS[key]);
    if (Object.hasOwn(MARKS, key)) return () => put(MARKS[key]);
    return Object.hasOwn(ACTIONS, key) ? ACTIONS[key] : null;
  }

  async function press(event) {
    if (busy) {
      held.push(event);
      return;
    }
    const action = actionOf(event);
    if (!action) return;
    busy = true;
    await action();
    busy = false;
    if (held.length) press(held.shift());
  }

  addEventListener("keydown", (event) => {
    if (event.target.closest("a, button, input") || event.key === "Tab") return;
    if (event.repeat && event.key === "Enter") return; // a key that is held accepts one field
    if (actionOf(event)) event.preventDefault();
    press(event);
  });
  addEventListener("beforeunload", (event) => {
    if (unsent.length || busy) event.preventDefault();
  });
  addEventListener("pagehide", () => {
    for (const { body } of unsent) desk.beacon("/decide", body);
  });

  stage.focus();
  refill();
})();
