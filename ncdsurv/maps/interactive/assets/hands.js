// --- pointer ---
const fingers = new Map();
let start = null, moved = false, spread = 0;
const here = (event) => {
  const box = map.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
map.addEventListener("pointerdown", (event) => {
  fingers.set(event.pointerId, here(event));
  if (fingers.size === 1) { start = here(event); moved = false; spread = 0; } else moved = true;
  map.setPointerCapture(event.pointerId);
});
map.addEventListener("pointermove", (event) => {
  const [x, y] = here(event);
  if (!fingers.has(event.pointerId)) {
    if (event.pointerType === "mouse") see(areaAt(x, y), [x, y]);
    return;
  }
  const before = fingers.get(event.pointerId);
  fingers.set(event.pointerId, [x, y]);
  if (fingers.size === 2) {
    const [[ax, ay], [bx, by]] = fingers.values(), now = Math.hypot(ax - bx, ay - by);
    if (spread) zoom(now / spread, (ax + bx) / 2, (ay + by) / 2);
    spread = now;
  } else if (moved || Math.hypot(x - start[0], y - start[1]) > 6) {
    moved = true;
    if (view.k > view.least) { view.x += x - before[0]; view.y += y - before[1]; bound(); }
    see(-1, null);
  }
});
function lift(event) {
  fingers.delete(event.pointerId);
  spread = 0;
}
map.addEventListener("pointerup", (event) => {
  const tapped = fingers.size === 1 && !moved;
  lift(event);
  if (!tapped) return;
  const i = areaAt(...here(event));
  keep(i === kept ? -1 : i, true);
});
map.addEventListener("pointercancel", lift);
map.addEventListener("pointerleave", () => see(-1, null));
map.addEventListener("wheel", (event) => {
  if (event.deltaY > 0 && view.k <= view.least) return; // nothing to zoom out of: the page scrolls
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...here(event));
}, { passive: false });
const middle = () => [frame.clientWidth / 2, frame.clientHeight / 2];
$("in").addEventListener("click", () => zoom(1.6, ...middle()));
$("out").addEventListener("click", () => zoom(1 / 1.6, ...middle()));
function home() { fit(); draw(); if (current() >= 0) place(); }
$("home").addEventListener("click", home);

// --- keyboard ---
function step(dx, dy) {
  const from = current();
  const [x, y] = from >= 0 && areas[from].centre
    ? areas[from].centre
    : [(frame.clientWidth / 2 - view.x) / view.k, (frame.clientHeight / 2 - view.y) / view.k];
  let best = -1, least = Infinity;
  for (let i = 0; i < N; i++) {
    if (i === from || !areas[i].centre) continue;
    const ax = areas[i].centre[0] - x, ay = areas[i].centre[1] - y;
    const along = ax * dx + ay * dy, aside = Math.abs(ax * dy) + Math.abs(ay * dx);
    if (from >= 0 && (along <= 0 || aside > along)) continue;
    const far = from >= 0 ? along + 1.5 * aside : Math.hypot(ax, ay);
    if (far < least) { least = far; best = i; }
  }
  if (best < 0) return;
  const px = areas[best].centre[0] * view.k + view.x, py = areas[best].centre[1] * view.k + view.y;
  if (px < 12 || py < 12 || px > frame.clientWidth - 12 || py > frame.clientHeight - 12) show(best);
  if (kept >= 0) keep(best, true);
  else { see(best, null); $("live").textContent = spoken(best); }
}
map.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const acts = {
    ArrowLeft: () => step(-1, 0), ArrowRight: () => step(1, 0), ArrowUp: () => step(0, -1), ArrowDown: () => step(0, 1),
    Enter: () => { if (current() >= 0) keep(kept >= 0 ? -1 : seen, true); },
    "+": () => zoom(1.6, ...middle()), "=": () => zoom(1.6, ...middle()), "-": () => zoom(1 / 1.6, ...middle()),
    0: home,
  };
  if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || current() < 0) return;
  kept = -1;
  see(-1, null);
  tell();
  drawTop();
});
map.addEventListener("blur", () => { if (kept < 0 && !spot) see(-1, null); });

new ResizeObserver(resize).observe(frame);
words();
