// --- which area ---
const probe = document.createElement("canvas").getContext("2d");
function areaAt(px, py, v = view) {
  const x = (px - v.x) / v.k, y = (py - v.y) / v.k;
  for (let i = 0; i < N; i++) {
    const b = areas[i].box;
    if (x >= b[0] && x <= b[2] && y >= b[1] && y <= b[3] && probe.isPointInPath(areas[i].path, x, y)) return i;
  }
  return -1;
}
const current = () => (kept >= 0 ? kept : seen);
function see(i, where) {
  if (kept >= 0) return;
  spot = where;
  if (i !== seen) { seen = i; tell(); drawTop(); }
  if (i >= 0) place();
}
function keep(i, aloud) {
  kept = i; seen = -1; spot = null;
  tell();
  draw();
  if (i >= 0) place();
  if (aloud) $("live").textContent = i < 0 ? "" : spoken(i);
}
function spoken(i) {
  const say = told(i, at);
  const parts = [nameOf(i), parentOf(i), D.periods[at][lang], say.figure || say.grey, ...say.lines, say.care];
  return parts.filter(Boolean).join("; ");
}

// --- the card ---
function make(tag, text, kind) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}
function tell() {
  const i = current();
  card.hidden = i < 0;
  card.classList.toggle("kept", kept >= 0);
  if (i < 0) return;
  const say = told(i, at), where = [parentOf(i), word("code", { code: D.codes[i] })].filter(Boolean).join(" · ");
  const parts = [make("h3", nameOf(i)), make("p", where, "where"), make("p", D.periods[at][lang], "when")];
  parts.push(say.figure ? make("p", say.figure, "figure") : make("p", say.grey, "figure grey"));
  for (const line of say.lines) parts.push(make("p", line));
  if (say.care) parts.push(make("p", say.care, "care"));
  if (T > 1 && D.periods.some((_, t) => isShown(mark(i, t)))) parts.push(sparkline(i));
  if (kept >= 0) {
    const close = make("button", "×");
    close.type = "button";
    close.setAttribute("aria-label", word("close"));
    close.addEventListener("click", () => { keep(-1, true); map.focus(); });
    parts.push(close);
  }
  card.replaceChildren(...parts);
  card.setAttribute("aria-label", nameOf(i));
}
function place() {
  if (getComputedStyle(card).position !== "absolute") return;
  let x, y;
  const i = current();
  if (spot) [x, y] = spot;
  else if (areas[i].centre) {
    x = areas[i].centre[0] * view.k + view.x;
    y = areas[i].centre[1] * view.k + view.y;
  } else { x = frame.clientWidth; y = frame.clientHeight / 2; }
  const wide = card.offsetWidth, tall = card.offsetHeight, room = frame.clientWidth, high = frame.clientHeight;
  const away = 22, east = D.frame[2] * view.k + view.x + away, west = D.frame[0] * view.k + view.x - away;
  // Beside the country where there is room, so that the card hides nothing; else along the side away from the area.
  const whole = !map.classList.contains("near");
  let left = x < room / 2 ? room - wide - 52 : 8;
  if (whole && room - east >= wide + 48) left = east;
  else if (whole && west >= wide + 4) left = west - wide;
  card.style.left = Math.max(4, Math.min(left, room - wide - 4)) + "px";
  card.style.top = Math.max(4, Math.min(y - tall / 3, high - tall - 4)) + "px";
}
const most = D.target ? D.target.value : 0;
let topValue = most, low = 0;
for (const value of cells.value) if (value > topValue) topValue = value; else if (value < low) low = value;
function svg(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}
function sparkline(i) {
  const wide = 260, tall = 92, left = 38, right = 8, upper = 14, foot = 18, first = D.periods[0].month;
  const months = Math.max(D.periods[T - 1].month - first, 1);
  const x = (t) => left + ((D.periods[t].month - first) / months) * (wide - left - right);
  const y = (value) => tall - foot - ((value - low) / (topValue - low || 1)) * (tall - foot - upper);
  const root = svg("svg", { viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": word("over_time"), "font-size": 11, fill: "#404040" });
  for (const value of [low, topValue]) {
    root.append(svg("line", { x1: left, x2: wide - right, y1: y(value), y2: y(value), stroke: "#d0d0d0" }));
    root.append(svg("text", { x: left - 4, y: y(value) + 4, "text-anchor": "end" }, number(D.decimals ? Math.round(value / 10) : value, 0) + (D.percent ? "%" : "")));
  }
  if (D.target) root.append(svg("line", { x1: left, x2: wide - right, y1: y(D.target.value), y2: y(D.target.value), stroke: "#b3460a", "stroke-dasharray": "5 3" }));
  const runs = [];
  for (let t = 0, open = false; t < T; t++) {
    const shown = isShown(mark(i, t)), joined = t > 0 && D.periods[t].month - D.periods[t - 1].month === D.span;
    if (shown && (!open || !joined)) runs.push([]);
    if (shown) runs[runs.length - 1].push(t);
    open = shown;
  }
  for (const run of runs) {
    const point = (t, add) => `${x(t).toFixed(1)},${y(cell("value", i, t) + add).toFixed(1)}`;
    if (run.every((t) => !Number.isNaN(cell("lower", i, t)) && !Number.isNaN(cell("upper", i, t)))) {
      const above = run.map((t) => `${x(t).toFixed(1)},${Math.max(y(cell("value", i, t) + cell("upper", i, t)), 2).toFixed(1)}`);
      const below = run.map((t) => point(t, -cell("lower", i, t))).reverse();
      root.append(svg("polygon", { points: [...above, ...below].join(" "), fill: "#9cc9e8", opacity: 0.55 }));
    }
    root.append(svg("polyline", { points: run.map((t) => point(t, 0)).join(" "), fill: "none", stroke: D.colours.line, "stroke-width": 1.6 }));
    for (const t of run) {
      const small = isSmall(mark(i, t));
      if (small || run.length === 1)
        root.append(svg("circle", { cx: x(t), cy: y(cell("value", i, t)), r: 2.2, fill: small ? "#fff" : D.colours.line, stroke: D.colours.line }));
    }
  }
  root.append(svg("line", { x1: x(at), x2: x(at), y1: upper - 6, y2: tall - foot, stroke: "#b3460a", "stroke-width": 1 }));
  if (isShown(mark(i, at))) root.append(svg("circle", { cx: x(at), cy: y(cell("value", i, at)), r: 3.6, fill: "#b3460a" }));
  const ends = [[0, "start", left], [T - 1, "end", wide - right]];
  for (const [t, anchor, px] of ends) root.append(svg("text", { x: px, y: tall - 4, "text-anchor": anchor }, D.periods[t].id));
  return root;
}
