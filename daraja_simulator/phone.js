"use strict";

const EVERY_MS = 800;
const $ = (id) => document.getElementById(id);
const kes = (amount) => "KES\u00a0" + amount.toLocaleString("en-KE");
const unbroken = (text) => text
  .replaceAll("KES ", "KES\u00a0")
  .replaceAll(about.merchant_name, about.merchant_name.replaceAll("-", "\u2011"));
const spoken = (phone) => `0${phone.slice(3, 6)} ${phone.slice(6, 9)} ${phone.slice(9)}`;

/* The labels of the magic endings. The simulator reports which ones are in use. */
const OUTCOMES = {
  "0001": "Not enough money", "1032": "Cancelled", "1037": "No answer", "2001": "Wrong PIN",
  "9000": "Paid, but no callback is sent", "9002": "Paid, with the callback sent twice",
};

let about = null;
let shown = location.hash.slice(1) || null;
let ringing = new Set();
let newest = null;
let promptId = null;
let drawn = {};

async function ask(path, fields) {
  const options = fields && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  };
  const answer = await fetch("/control/" + path, options);
  const content = await answer.json();
  if (!answer.ok) throw new Refusal(content.error || "Something went wrong.");
  return content;
}

class Refusal extends Error {}

/* Redraw only what has changed, to keep the focus and selection and not to disturb screen readers. */
function changed(what, content) {
  const now = JSON.stringify(content);
  if (drawn[what] === now) return false;
  drawn[what] = now;
  return true;
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function show(phone) {
  if (shown === phone) return;
  shown = phone;
  history.replaceState(null, "", "#" + phone);
}

function drawPhones(phones) {
  if (!changed("phones", [phones, shown])) return;
  const focused = document.activeElement?.dataset?.phone;
  $("phones").replaceChildren(...phones.map((one) => {
    const button = element("button");
    button.type = "button";
    button.dataset.phone = one.phone;
    button.setAttribute("aria-pressed", String(one.phone === shown));
    button.append(
      element("span", spoken(one.phone)),
      one.rings ? element("span", "prompt open", "rings") : element("span", kes(one.balance), "sum"),
    );
    button.addEventListener("click", () => { show(one.phone); refresh(); });
    const item = element("li");
    item.append(button);
    return item;
  }));
  if (focused) $("phones").querySelector(`[data-phone="${CSS.escape(focused)}"]`)?.focus();
}

function drawInbox(phone) {
  $("owner").textContent = spoken(phone.phone);
  $("balance").textContent = kes(phone.balance);
  $("empty").textContent = phone.inbox.length ? "" : "No messages yet. Send an STK push to this number.";
  if (!changed("inbox", [phone.phone, phone.inbox])) return;
  $("inbox").replaceChildren(...phone.inbox.map((message) => {
    const item = element("li", unbroken(message.text), message.paid ? "" : "failed");
    const time = element("time", message.from + ", " + message.at.slice(11, 16) + ", " + message.at.slice(0, 10));
    time.dateTime = message.at;
    item.append(time);
    return item;
  }));
}

function drawPrompt(prompt) {
  $("shade").hidden = !prompt;
  document.title = (prompt ? "● Prompt · " : "") + "Phone · M-PESA simulator";
  if (!prompt) { promptId = null; return; }
  $("left").max = about.prompt_timeout;
  $("left").value = prompt.seconds_left;
  $("left-text").textContent = `${prompt.seconds_left} s left to answer`;
  if (promptId === prompt.checkout_request_id) return;
  promptId = prompt.checkout_request_id;
  $("prompt-text").textContent = unbroken(prompt.question);
  $("prompt-account").textContent = prompt.account + ".";
  $("pin").value = "";
  $("prompt-error").textContent = "";
  setBusy(false);
  if (document.activeElement !== $("number")) $("pin").focus();
}

function drawAbout() {
  $("pin-hint").textContent = `The right PIN is ${about.pin}.`;
  $("how").textContent = `Enter the PIN ${about.pin} to pay, or cancel. After `
    + `${about.prompt_timeout} seconds the prompt expires.`;
  const endings = Object.keys(about.magic).sort();
  drawBusinesses();
  $("magic-box").hidden = !endings.length;
  $("magic").replaceChildren(...endings.map((ending) => {
    const row = element("tr");
    row.append(element("td", "…" + ending), element("td", OUTCOMES[ending] || about.magic[ending]));
    return row;
  }));
}

function setBusy(busy) {
  $("send").disabled = $("cancel").disabled = busy;
}

/* Switch to a phone with a new prompt or message, unless the phone shown has an open prompt. */
function follow(phones) {
  const now = new Set(phones.filter((one) => one.rings).map((one) => one.phone));
  const began = [...now].find((phone) => !ringing.has(phone));
  const latest = phones.reduce((a, b) => (b.newest_message > a.newest_message ? b : a), { newest_message: 0 });
  const texted = newest !== null && latest.newest_message > newest ? latest.phone : null;
  ringing = now;
  newest = latest.newest_message;
  if (!now.has(shown) && (began || texted)) show(began || texted);
  else if (!shown && phones.length) show(phones[0].phone);
}

async function refresh() {
  try {
    if (!about) {
      about = await ask("about");
      drawAbout();
    }
    const { phones } = await ask("phones");
    follow(phones);
    drawPhones(phones);
    if (shown) {
      const asked = shown;
      const phone = await ask("phones/" + encodeURIComponent(asked));
      if (asked !== shown) return;
      drawInbox(phone);
      drawPrompt(phone.prompt);
      await drawStatement(asked);
    } else {
      $("empty").textContent = "No prompts yet. Send an STK push, and it appears here.";
    }
    $("offline").hidden = true;
  } catch (problem) {
    if (problem instanceof Refusal) { shown = null; history.replaceState(null, "", location.pathname); }
    else { about = null; $("offline").hidden = false; }
  }
}

async function answer(how, fields) {
  setBusy(true);
  try {
    await ask(`phones/${shown}/${how}`, { ...fields, checkout_request_id: promptId });
  } catch (problem) {
    $("prompt-error").textContent = problem instanceof Refusal ? problem.message : "No response. Try again.";
    setBusy(false);
  }
  await refresh();
}

$("prompt").addEventListener("submit", (event) => {
  event.preventDefault();
  answer("pin", { pin: $("pin").value });
});
$("cancel").addEventListener("click", () => answer("cancel", {}));
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Escape") answer("cancel", {});
});
$("other").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("other-error").textContent = "";
  try {
    const phone = await ask("phones", { phone: $("number").value });
    $("number").value = "";
    show(phone.phone);
    await refresh();
  } catch (problem) {
    $("other-error").textContent = problem instanceof Refusal ? problem.message : "No response. Try again.";
  }
});
window.addEventListener("hashchange", () => { shown = location.hash.slice(1) || null; refresh(); });

function tick() {
  const nairobi = { timeZone: "Africa/Nairobi", hour: "2-digit", minute: "2-digit" };
  $("clock").textContent = new Date().toLocaleTimeString("en-KE", nairobi);
}

async function forever() {
  tick();
  await refresh();
  setTimeout(forever, EVERY_MS);
}
forever();
