
/* The phone's menu: messages, payments, the statement. Appended to phone.js in the same script. */

const VIEWS = ["messages", "pay", "statement"];
let view = "messages";

function switchTo(wanted) {
  view = wanted;
  for (const name of VIEWS) {
    $("view-" + name).hidden = name !== view;
    const tab = document.querySelector(`[data-view="${name}"]`);
    if (name === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

function drawBusinesses() {
  $("business").value ||= about.shortcode;
  $("business-hint").textContent = `Pay bill ${about.shortcode}, or till ${about.till} without an account.`;
  $("businesses").replaceChildren(...[about.shortcode, about.till].map((number) => {
    const option = element("option");
    option.value = number;
    return option;
  }));
  drawAccount();
}

/* A till has no accounts. */
function drawAccount() {
  const isTill = about !== null && $("business").value.trim() === about.till;
  $("account-box").hidden = isTill;
  $("account").required = !isTill;
}

async function drawStatement(phone) {
  if (view !== "statement") return;
  const { rows } = await ask(`phones/${phone}/statement`);
  if (phone !== shown || !changed("statement", [phone, rows])) return;
  $("statement-empty").textContent = rows.length ? "" : "No transactions yet.";
  $("statement").replaceChildren(...rows.map((row) => {
    const item = element("li");
    const sign = row.amount < 0 ? "\u2212" : "+";
    const time = element("time", `${row.at.slice(11, 16)}, ${row.at.slice(0, 10)}, ${row.receipt}`);
    time.dateTime = row.at;
    item.append(
      element("span", unbroken(row.text)),
      element("span", `${sign}\u00a0${kes(Math.abs(row.amount))}`, row.amount < 0 ? "sum" : "sum gain"),
      time,
      element("span", kes(row.balance), "sum left"),
    );
    return item;
  }));
}

async function payByHand() {
  const paid = {
    business: $("business").value,
    account: $("account-box").hidden ? "" : $("account").value,
    amount: $("amount").valueAsNumber,
    pin: $("pay-pin").value,
  };
  $("pay-error").textContent = "";
  $("pay-send").disabled = true;
  $("pay-send").textContent = "Sending …";
  try {
    if (!shown) throw new Refusal("Choose a number under Phones first.");
    await ask(`phones/${shown}/pay`, paid);
    $("amount").value = $("account").value = "";
    switchTo("messages");
  } catch (problem) {
    $("pay-error").textContent = problem instanceof Refusal ? problem.message : "No response. Try again.";
  }
  $("pay-pin").value = "";
  $("pay-error").scrollIntoView({ block: "nearest" });
  $("pay-send").disabled = false;
  $("pay-send").textContent = "Pay";
  await refresh();
}

for (const tab of document.querySelectorAll("[data-view]")) {
  tab.addEventListener("click", () => { switchTo(tab.dataset.view); refresh(); });
}
$("business").addEventListener("input", drawAccount);
$("pay").addEventListener("submit", (event) => { event.preventDefault(); payByHand(); });
