"use strict";
// What every page of the desk needs: messages to the server, leases, the line of progress.

const desk = (() => {
  const token = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  const holder = token();
  const byId = (id) => document.getElementById(id);

  async function post(path, body = {}) {
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ holder, ...body }),
      });
      const content = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
      return { ok: answer.ok, status: answer.status, content };
    } catch {
      return { ok: false, status: 0, content: {} };
    }
  }

  // A message that goes on being sent until the server has answered it, one way or the other.
  async function insist(path, body, tell) {
    for (let tries = 0; ; tries += 1) {
      const answer = await post(path, body);
      if (answer.status !== 0 && answer.status < 500) {
        if (tries) tell("");
        return answer;
      }
      const why = answer.content.problem || "the server does not answer";
      tell(`Not saved yet: ${why}. Trying again; leave this page open.`, "alert");
      await new Promise((wake) => setTimeout(wake, Math.min(250 * 2 ** tries, 4000)));
    }
  }

  function say(text, kind = "") {
    const line = byId("say");
    line.textContent = text;
    line.dataset.kind = kind;
  }

  function showProgress(open, done) {
    const place = byId("progress");
    place.dataset.open = open;
    place.dataset.done = done;
    byId("open").textContent = open.toLocaleString("en");
    byId("done").textContent = done.toLocaleString("en");
    const bar = place.querySelector("progress");
    bar.max = Math.max(open + done, 1);
    bar.value = done;
  }

  function count(decided) {
    const { open, done } = byId("progress").dataset;
    showProgress(Math.max(0, Number(open) - decided), Number(done) + decided);
  }

  async function stay() {
    const { ok, content } = await post("/stay", { task: document.body.dataset.task });
    if (!ok) return;
    showProgress(content.open, content.done);
    byId("rate").textContent = content.perHour ? content.perHour.toLocaleString("en") : "–";
    byId("left").textContent = content.left;
  }

  function beacon(path, body = {}) {
    navigator.sendBeacon(path, new Blob([JSON.stringify({ holder, ...body })], { type: "application/json" }));
  }

  setInterval(stay, 20000);
  addEventListener("pagehide", () => beacon("/leave"));
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  return { beacon, byId, count, insist, post, say, token };
})();
