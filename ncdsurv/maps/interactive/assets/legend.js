// --- legend, insets, words ---
function swatch(colour, hatch, dark) {
  const node = document.createElement("canvas"), ctx = node.getContext("2d");
  node.width = 60; node.height = 36;
  node.setAttribute("aria-hidden", "true");
  ctx.fillStyle = colour; ctx.fillRect(0, 0, 60, 36);
  if (hatch) {
    const pattern = hatching(ctx, dark, 2);
    pattern.setTransform(new DOMMatrix());
    ctx.fillStyle = pattern; ctx.fillRect(0, 0, 60, 36);
  }
  return node;
}
function legend() {
  const counts = {}, items = [];
  let small = 0;
  for (let i = 0; i < N; i++) {
    const m = mark(i, at), key = isShown(m) ? "class" + classOf(m) : m;
    counts[key] = (counts[key] || 0) + 1;
    if (isSmall(m)) small++;
  }
  const add = (picture, text, kind) => {
    const item = make("li", "", kind);
    if (picture) item.append(picture);
    item.append(make("span", text));
    items.push(item);
  };
  const whole = (n) => number(n, 0);
  for (let c = D.classes.length - 1; c >= 0; c--) {
    add(swatch(D.classes[c].colour), `${D.classes[c][lang]} (${whole(counts["class" + c] || 0)})`, "class");
    if (D.target && D.target.below === c) add(null, D.target[lang], "target");
  }
  if (D.marks.match(/[A-Z]/)) add(swatch("#fff", true, false), word("small", { n: whole(small) }), "gap");
  for (const [m, grey] of Object.entries(D.greys))
    if (D.marks.includes(m)) {
      const first = items[items.length - 1].classList.contains("class") ? "gap" : "";
      add(swatch(grey.colour), word("legend." + grey.status, { n: whole(counts[m] || 0) }), first);
    }
  $("legend").replaceChildren(...items);
}
const insets = D.insets.map((inset) => {
  const figure = make("figure"), canvas = make("canvas"), caption = make("figcaption");
  const [x0, y0, x1, y1] = inset.frame, room = 118;
  const k = Math.min(room / (x1 - x0), room / (y1 - y0)), scale = scaleOf();
  const wide = (x1 - x0) * k, tall = (y1 - y0) * k;
  canvas.width = wide * scale; canvas.height = tall * scale;
  canvas.style.width = wide + "px"; canvas.style.height = tall + "px";
  canvas.setAttribute("role", "img");
  figure.append(canvas, caption);
  $("insets").append(figure);
  const one = { ...inset, canvas, caption, view: { k, x: -x0 * k, y: -y0 * k } };
  const pick = (event) => (inset.dots.length ? inset.area : areaAt(event.offsetX, event.offsetY, one.view));
  const away = () => [frame.clientWidth - 24, canvas.getBoundingClientRect().top - stage.getBoundingClientRect().top];
  canvas.addEventListener("pointermove", (event) => see(pick(event), away()));
  canvas.addEventListener("pointerleave", () => see(-1, null));
  canvas.addEventListener("click", (event) => keep(pick(event), true));
  return one;
});
function drawInset(one) { paint(one.canvas, one.view, one.dots.length ? one : null); }
function words() {
  const text = D.texts[lang];
  document.documentElement.lang = lang;
  document.title = text.page;
  for (const id of ["title", "place", "rules", "scheme", "schematic", "source"]) $(id).textContent = text[id];
  if ($("invented")) $("invented").textContent = text.invented;
  $("about").replaceChildren(...text.about.map((line) => make("li", line)));
  document.querySelectorAll("[data-word]").forEach((node) => { node.textContent = word(node.dataset.word); });
  $("legend-title").textContent = word("legend_title");
  $("language").textContent = word("other_language");
  $("language").lang = lang === "vi" ? "en" : "vi";
  map.setAttribute("aria-label", `${text.page}. ${word("map")}`);
  map.setAttribute("aria-roledescription", word("map_role"));
  for (const [id, key] of [["in", "zoom_in"], ["out", "zoom_out"], ["home", "home"]]) {
    $(id).setAttribute("aria-label", word(key));
    $(id).title = word(key);
  }
  for (const one of insets) {
    one.caption.textContent = one[lang];
    one.caption.title = one.dots.length ? word("islands") : "";
    one.canvas.setAttribute("aria-label", one[lang] + (one.dots.length ? ". " + word("islands") : ""));
  }
  playing();
  find();
  turn();
}
function turn() { // a period or a language has changed
  const period = D.periods[at];
  $("slider").value = at;
  $("slider").setAttribute("aria-valuetext", period[lang]);
  $("period").textContent = period[lang];
  $("covered").textContent = period.covered[lang];
  legend();
  tell();
  draw();
  if (current() >= 0) place();
}
