"use strict";
(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const N = D.codes.length, T = D.periods.length;
  const map = $("map"), topmost = $("top"), frame = $("frame"), stage = $("stage"), card = $("card");
  const asked = location.hash.slice(1); // a page that links here may ask for its own language
  let lang = asked in D.words ? asked : D.lang, at = T - 1, kept = -1, seen = -1, spot = null, timer = 0;
  const word = (key, parts) => fill(D.words[lang][key], parts);
  const fill = (text, parts) => text.replace(/\{(\w+)\}/g, (all, name) => (parts && name in parts ? parts[name] : all));

  // --- numbers out of text: the other half of packing.py ---
  function unpack(text) {
    const raw = atob(text), out = [];
    for (let i = 0, sum = 0, unit = 1; i < raw.length; i++) {
      const b = raw.charCodeAt(i);
      sum += (b & 127) * unit;
      if (b & 128) unit *= 128;
      else { out.push(sum); sum = 0; unit = 1; }
    }
    return out;
  }
  const unfold = (n) => (n % 2 ? -(n + 1) / 2 : n / 2);

  function readShapes(packed) {
    const a = unpack(packed.arcs), r = unpack(packed.rings), arcs = [], areas = [];
    for (let i = 0, sx = 0, sy = 0; i < a.length; ) {
      const count = a[i++], arc = new Int32Array(2 * count);
      let x = (sx += unfold(a[i++])), y = (sy += unfold(a[i++]));
      arc[0] = x; arc[1] = y;
      for (let p = 1; p < count; p++) {
        arc[2 * p] = x += unfold(a[i++]);
        arc[2 * p + 1] = y += unfold(a[i++]);
      }
      arcs.push(arc);
    }
    for (let i = 0; i < r.length; ) {
      const path = new Path2D(), box = [Infinity, Infinity, -Infinity, -Infinity];
      let widest = -1, centre = null;
      for (let rings = r[i++]; rings > 0; rings--) {
        const own = [Infinity, Infinity, -Infinity, -Infinity];
        for (let left = r[i++], first = true; left > 0; left--) {
          const n = unfold(r[i++]), arc = arcs[n < 0 ? ~n : n], size = arc.length / 2;
          for (let p = first ? 0 : 1; p < size; p++) {
            const k = 2 * (n < 0 ? size - 1 - p : p), x = arc[k], y = arc[k + 1];
            if (first) { path.moveTo(x, y); first = false; } else path.lineTo(x, y);
            if (x < own[0]) own[0] = x;
            if (y < own[1]) own[1] = y;
            if (x > own[2]) own[2] = x;
            if (y > own[3]) own[3] = y;
          }
        }
        path.closePath();
        const wide = (own[2] - own[0]) * (own[3] - own[1]);
        if (wide > widest) { widest = wide; centre = [(own[0] + own[2]) / 2, (own[1] + own[3]) / 2, own]; }
        box[0] = Math.min(box[0], own[0]); box[1] = Math.min(box[1], own[1]);
        box[2] = Math.max(box[2], own[2]); box[3] = Math.max(box[3], own[3]);
      }
      areas.push({ path, box, centre });
    }
    return { arcs, areas };
  }
  const shapes = readShapes(D.shapes), areas = shapes.areas;
  const around = D.around ? readShapes(D.around).areas : [];
  const lines = [new Path2D(), new Path2D()];
  shapes.arcs.forEach((arc, n) => {
    const path = lines[+D.borders[n]];
    path.moveTo(arc[0], arc[1]);
    for (let k = 2; k < arc.length; k += 2) path.lineTo(arc[k], arc[k + 1]);
  });

  const mark = (area, period) => D.marks[area * T + period];
  const isShown = (m) => m >= "A";
  const isSmall = (m) => m >= "A" && m < "a";
  const classOf = (m) => m.charCodeAt(0) - (isSmall(m) ? 65 : 97);
  const cells = {};
  for (const name of Object.keys(D.cells)) {
    const steps = unpack(D.cells[name]), found = (cells[name] = new Float64Array(N * T).fill(NaN));
    for (let i = 0, next = 0; i < N; i++)
      for (let t = 0, last = 0; t < T; t++) {
        const step = isShown(mark(i, t)) ? steps[next++] : 0;
        if (step) found[i * T + t] = last += unfold(step - 1);
      }
  }
  const cell = (name, area, period) => cells[name][area * T + period];

  // --- words of numbers ---
  function number(scaled, decimals) {
    if (Number.isNaN(scaled)) return "–";
    const digits = String(Math.abs(scaled)).padStart(decimals + 1, "0");
    const whole = decimals ? digits.slice(0, -decimals) : digits;
    const [thousand, point] = lang === "vi" ? [".", ","] : [",", "."];
    const text = whole.replace(/\B(?=(\d{3})+$)/g, thousand) + (decimals ? point + digits.slice(-decimals) : "");
    return (scaled < 0 ? "−" : "") + text;
  }
  const withUnit = (scaled) => number(scaled, D.decimals) + (D.percent ? "" : " ") + word("unit");
  const parentOf = (i) => (D.parents.of[i] < 0 ? "" : D.parents.names[lang][D.parents.of[i]]);
  const nameOf = (i) => D.names[lang][i];

  function told(i, t) {
    const m = mark(i, t), say = { figure: "", grey: "", lines: [], care: "" };
    if (!isShown(m)) {
      const text = word("status." + D.greys[m].status);
      say.grey = text[0].toUpperCase() + text.slice(1);
      return say;
    }
    const value = cell("value", i, t), low = cell("lower", i, t), high = cell("upper", i, t);
    say.figure = withUnit(value);
    if (!Number.isNaN(low) && !Number.isNaN(high)) {
      const ends = { lower: number(value - low, D.decimals), upper: number(value + high, D.decimals) };
      say.lines.push(word("interval", { confidence: D.confidence, ...ends }));
    }
    const n = cell("numerator", i, t), d = cell("denominator", i, t);
    if (!Number.isNaN(d)) {
      const parts = { numerator: number(n, 0), denominator: number(d, 0) };
      say.lines.push(word(Number.isNaN(n) ? "denominator" : "fraction", parts));
    }
    if (isSmall(m)) say.care = word("care");
    return say;
  }

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
    ctx.strokeStyle = density > 400 ? "rgba(95,95,95,.6)" : "#5f5f5f"; ctx.lineWidth = thin / v.k; ctx.stroke(lines[0]);
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
    if (T > 1) parts.push(sparkline(i));
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
      root.append(svg("text", { x: left - 4, y: y(value) + 4, "text-anchor": "end" }, number(D.decimals ? Math.round(value / 10) : value, 0)));
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
      add(swatch(D.classes[c].colour), `${D.classes[c][lang]} (${whole(counts["class" + c] || 0)})`);
      if (D.target && D.target.below === c) add(null, D.target[lang], "target");
    }
    if (D.marks.match(/[A-Z]/)) add(swatch("#fff", true, false), word("small", { n: whole(small) }), "gap");
    for (const [m, grey] of Object.entries(D.greys))
      if (D.marks.includes(m)) add(swatch(grey.colour), word("legend." + grey.status, { n: whole(counts[m] || 0) }));
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
    $("range").textContent = period.range[lang];
    legend();
    tell();
    draw();
    if (current() >= 0) place();
  }

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
})();
