// --- drawing ---
const scaleOf = () => window.devicePixelRatio || 1;
const view = { k: 1, x: 0, y: 0, least: 1 };
let patterns = {};
function hatching(ctx, dark, scale) {
  const key = dark + "|" + scale;
  if (!patterns[key]) {
    const tile = document.createElement("canvas"), side = Math.round(6 * scale), pen = tile.getContext("2d");
    tile.width = tile.height = side;
    pen.strokeStyle = dark ? "#fff" : "#2b2b2b";
    pen.lineWidth = 1.2 * scale;
    pen.beginPath();
    for (const shift of [-side, 0, side]) { pen.moveTo(shift, side); pen.lineTo(shift + side, 0); }
    pen.stroke();
    patterns[key] = ctx.createPattern(tile, "repeat");
  }
  return patterns[key];
}
const colourOf = (m) => (isShown(m) ? D.classes[classOf(m)].colour : D.greys[m].colour);

function paint(canvas, v, islands) {
  const scale = scaleOf(), ctx = canvas.getContext("2d"), k = v.k * scale;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  ctx.setTransform(k, 0, 0, k, v.x * scale, v.y * scale);
  const left = -v.x / v.k, upper = -v.y / v.k;
  const right = left + canvas.width / k, lower = upper + canvas.height / k;
  const outside = (box) => box[2] < left || box[0] > right || box[3] < upper || box[1] > lower;
  ctx.fillStyle = D.colours.land; ctx.strokeStyle = D.colours.rule; ctx.lineWidth = 1 / v.k;
  for (const one of around) if (!outside(one.box)) { ctx.fill(one.path); ctx.stroke(one.path); }
  const inverse = new DOMMatrix([1 / k, 0, 0, 1 / k, 0, 0]), hatched = [];
  for (let i = 0; i < N; i++) {
    if (outside(areas[i].box)) continue;
    const m = mark(i, at);
    ctx.fillStyle = colourOf(m);
    ctx.fill(areas[i].path);
    if (isSmall(m)) hatched.push(i);
  }
  for (const i of hatched) {
    const pattern = hatching(ctx, D.classes[classOf(mark(i, at))].dark, scale);
    pattern.setTransform(inverse);
    ctx.fillStyle = pattern;
    ctx.fill(areas[i].path);
  }
  const framed = (D.frame[2] - D.frame[0]) * (D.frame[3] - D.frame[1]);
  const density = N * Math.min(1, ((right - left) * (lower - upper)) / framed); // areas in view, about
  const thin = density > 400 ? 0.25 : density > 120 ? 0.45 : 0.8;
  ctx.lineJoin = "round";
  ctx.strokeStyle = density > 400 ? "rgba(95,95,95,.6)" : "#7d7d7d"; ctx.lineWidth = thin / v.k; ctx.stroke(lines[0]);
  ctx.strokeStyle = "#1a1a1a"; ctx.lineWidth = (density > 400 ? 0.55 : N > 70 ? 0.9 : 0.7) / v.k; ctx.stroke(lines[1]);
  if (islands) dots(ctx, v, islands);
}
function dots(ctx, v, inset) {
  ctx.fillStyle = inset.area < 0 ? D.greys[Object.keys(D.greys).pop()].colour : colourOf(mark(inset.area, at));
  ctx.strokeStyle = D.colours.ink; ctx.lineWidth = 0.8 / v.k;
  for (const [x, y] of inset.dots) {
    ctx.beginPath();
    ctx.arc(x, y, 3 / v.k, 0, 7);
    ctx.fill();
    ctx.stroke();
  }
}
let waiting = false;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paint(map, view, null); insets.forEach(drawInset); drawTop(); });
}
function drawTop() {
  const scale = scaleOf(), ctx = topmost.getContext("2d"), one = current();
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, topmost.width, topmost.height);
  if (one >= 0) outline(ctx, view, one);
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  drawScale(ctx, frame.clientHeight);
}
function outline(ctx, v, i) {
  const scale = scaleOf();
  ctx.setTransform(v.k * scale, 0, 0, v.k * scale, v.x * scale, v.y * scale);
  ctx.lineJoin = "round";
  ctx.strokeStyle = "#fff"; ctx.lineWidth = 5 / v.k; ctx.stroke(areas[i].path);
  ctx.strokeStyle = "#b3460a"; ctx.lineWidth = 2.6 / v.k; ctx.stroke(areas[i].path);
}
function drawScale(ctx, height) {
  const most = (110 / view.k) * D.step / 1000; // kilometres in 110 pixels
  const ten = 10 ** Math.floor(Math.log10(most));
  const long = ten * (most >= 5 * ten ? 5 : most >= 2 * ten ? 2 : 1);
  const wide = (long * 1000 / D.step) * view.k, x = 34, y = height - 16;
  ctx.fillStyle = "rgba(255,255,255,.8)"; ctx.fillRect(6, y - 36, Math.max(wide + 36, 96), 44);
  ctx.font = "12px system-ui, sans-serif"; ctx.textBaseline = "bottom";
  ctx.lineWidth = 1.6; ctx.strokeStyle = D.colours.ink; ctx.fillStyle = D.colours.ink;
  ctx.beginPath();
  ctx.moveTo(x, y - 5); ctx.lineTo(x, y); ctx.lineTo(x + wide, y); ctx.lineTo(x + wide, y - 5);
  ctx.moveTo(16, y); ctx.lineTo(16, y - 18); ctx.moveTo(12, y - 12); ctx.lineTo(16, y - 19); ctx.lineTo(20, y - 12);
  ctx.stroke();
  const text = new Intl.NumberFormat(lang).format(long) + " " + word("kilometres");
  ctx.fillText(text, x + 4, y - 2);
  ctx.fillText(word("north"), 12, y - 20);
}

// --- the view ---
function fit() {
  const wide = frame.clientWidth, tall = frame.clientHeight, [x0, y0, x1, y1] = D.frame;
  view.least = Math.min((wide - 24) / (x1 - x0), (tall - 24) / (y1 - y0));
  view.k = view.least;
  view.x = (wide - (x0 + x1) * view.k) / 2;
  view.y = (tall - (y0 + y1) * view.k) / 2;
  map.classList.remove("near");
}
function zoom(factor, px, py) {
  const k = Math.min(Math.max(view.k * factor, view.least), view.least * 60);
  if (k === view.least) { fit(); draw(); return; }
  view.x = px - (px - view.x) * (k / view.k);
  view.y = py - (py - view.y) * (k / view.k);
  view.k = k;
  map.classList.add("near");
  bound();
}
function bound() {
  const wide = frame.clientWidth, tall = frame.clientHeight, [x0, y0, x1, y1] = D.frame, k = view.k;
  view.x = Math.min(Math.max(view.x, wide / 2 - x1 * k), wide / 2 - x0 * k);
  view.y = Math.min(Math.max(view.y, tall / 2 - y1 * k), tall / 2 - y0 * k);
  draw();
  if (kept >= 0) place();
}
function show(i) { // brings an area into view, near enough to be seen
  if (!areas[i].centre) return;
  const [cx, cy, box] = areas[i].centre, size = Math.max(box[2] - box[0], box[3] - box[1]);
  const wide = frame.clientWidth, tall = frame.clientHeight;
  if (size * view.k < 30) view.k = Math.min(60 * view.least, Math.max(view.k, 60 / size));
  const x = cx * view.k + view.x, y = cy * view.k + view.y;
  if (x < 20 || y < 20 || x > wide - 20 || y > tall - 20 || view.k > view.least * 1.01) {
    view.x = wide / 2 - cx * view.k;
    view.y = tall / 2 - cy * view.k;
  }
  map.classList.toggle("near", view.k > view.least);
  bound();
}
function resize() {
  const scale = scaleOf();
  for (const canvas of [map, topmost]) {
    canvas.width = Math.round(frame.clientWidth * scale);
    canvas.height = Math.round(frame.clientHeight * scale);
  }
  fit();
  draw();
  if (current() >= 0) place();
}
