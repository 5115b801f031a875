// --- time ---
function playing() {
  $("play").textContent = timer ? "❚❚" : "▶";
  $("play").setAttribute("aria-label", word(timer ? "pause" : "play"));
  $("play").title = word(timer ? "pause" : "play");
}
function stop() { clearInterval(timer); timer = 0; playing(); }
$("play").addEventListener("click", () => {
  if (timer) { stop(); return; }
  if (at === T - 1) { at = 0; turn(); }
  timer = setInterval(() => { if (at >= T - 1) stop(); else { at++; turn(); } }, 1000);
  playing();
});
$("slider").addEventListener("input", (event) => {
  if (timer) stop();
  at = +event.target.value;
  turn();
  if (kept >= 0) $("live").textContent = spoken(kept);
});
if (T < 2) { $("play").hidden = true; $("slider").hidden = true; }
$("language").addEventListener("click", () => { lang = lang === "vi" ? "en" : "vi"; words(); });

// --- search ---
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
const keys = D.codes.map((code, i) => plain(` ${D.names.vi[i]} ${D.names.en[i]} ${code}`));
let matches = [], chosen = -1;
function find() {
  const text = plain($("search").value.trim());
  matches = [];
  chosen = -1;
  if (text) {
    const above = D.parents.names.vi.map((name, p) => plain(` ${name} ${D.parents.names.en[p]}`));
    const steps = text.split(/\s+/), ranked = [];
    for (let i = 0; i < N; i++) {
      const all = keys[i] + (D.parents.of[i] < 0 ? "" : above[D.parents.of[i]]);
      if (steps.every((step) => all.includes(" " + step))) ranked.push([keys[i].includes(" " + text) ? 0 : 1, i]);
    }
    matches = ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((pair) => pair[1]);
  }
  const list = matches.slice(0, 8).map((i, n) => {
    const item = make("li", nameOf(i) + " ");
    item.id = "match" + n;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.append(make("span", parentOf(i)));
    item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(n); });
    return item;
  });
  $("matches").replaceChildren(...list);
  $("matches").hidden = !list.length;
  $("search").setAttribute("aria-expanded", String(list.length > 0));
  $("search").removeAttribute("aria-activedescendant");
  if (text) $("live").textContent = matches.length ? word("found", { n: matches.length }) : word("not_found");
}
function choose(n) {
  const items = $("matches").children;
  if (!items.length) return;
  if (chosen >= 0) items[chosen].setAttribute("aria-selected", "false");
  chosen = (n + items.length) % items.length;
  items[chosen].setAttribute("aria-selected", "true");
  items[chosen].scrollIntoView({ block: "nearest" });
  $("search").setAttribute("aria-activedescendant", "match" + chosen);
}
function take(n) {
  const i = matches[n];
  $("search").value = "";
  find();
  show(i);
  keep(i, true);
}
$("search").addEventListener("input", find);
$("search").addEventListener("blur", () => { $("matches").hidden = true; $("search").setAttribute("aria-expanded", "false"); });
$("search").addEventListener("keydown", (event) => {
  const acts = {
    ArrowDown: () => choose(chosen + 1),
    ArrowUp: () => choose(chosen - 1),
    Enter: () => { if (matches.length) take(Math.max(chosen, 0)); },
    Escape: () => { $("search").value = ""; find(); },
  };
  if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
});
