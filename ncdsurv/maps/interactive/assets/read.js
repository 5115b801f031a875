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
const withUnit = (scaled) => number(scaled, D.decimals) + (D.percent ? "" : "\u00a0") + word("unit");
const withSign = (scaled) => number(scaled, D.decimals) + (D.percent ? word("unit") : ""); // another unit stands above
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
    const ends = { lower: withSign(value - low), upper: withSign(value + high) };
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
