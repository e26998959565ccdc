// Down one score and up another: the angle between the gradients, and where the step goes.

const [LOSS, SCORE, STEP] = ["#D55E00", "#009E73", "#0072B2"];
const SPACE = "http://www.w3.org/2000/svg";

function svg(tag, props, text = "") {
  const element = document.createElementNS(SPACE, tag);
  Object.entries(props).forEach(([name, value]) => element.setAttribute(name, value));
  element.textContent = text;
  return element;
}

function arrow(vector, colour, name, dashed) {
  const [x, y] = vector.map((value) => 100 * value);
  const length = Math.hypot(x, y);
  const group = svg("g", {});
  if (length < 2) return group;
  const [ux, uy] = [x / length, y / length];
  const head = [[x, y], [x - 9 * ux + 5 * uy, y - 9 * uy - 5 * ux], [x - 9 * ux - 5 * uy, y - 9 * uy + 5 * ux]];
  const line = { x1: 0, y1: 0, x2: x - 7 * ux, y2: y - 7 * uy, stroke: colour, "stroke-width": 3.5 };
  group.append(svg("line", dashed ? { ...line, "stroke-dasharray": "5 4" } : line),
    svg("polygon", { points: head.join(" "), fill: colour }),
    svg("text", {
      x: x + 13 * ux, y: y + 13 * uy + 4, fill: colour, "font-size": 13, "font-weight": "bold",
      "text-anchor": ux > 0.4 ? "start" : ux < -0.4 ? "end" : "middle",
    }, name));
  return group;
}

/** A half-plane, of the directions whose product with `vector` is positive. */
function half(vector, colour) {
  const angle = (Math.atan2(vector[1], vector[0]) * 180) / Math.PI;
  return svg("path", { d: "M 0 -132 A 132 132 0 0 1 0 132 Z", fill: colour, opacity: 0.16,
    transform: `rotate(${angle})` });
}

function render(root, data) {
  const degrees = [...Array(37)].map((_, n) => 5 * n);
  const balances = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5];
  const ratios = [0.01, 0.1, 0.5, 1, 2, 10, 100];
  const nearest = (list, value) => list.reduce(
    (best, one, n) => (Math.abs(one - value) < Math.abs(list[best] - value) ? n : best), 0);
  const [angle, ratio] = [nearest(degrees, data.angle), nearest(ratios, data.ratio)];
  const state = { angle: degrees[angle], balance: 1, ratio: ratios[ratio], balanced: true };
  const drawing = svg("svg", { viewBox: "-190 -150 380 300", role: "img", class: "dk-drawing" });
  const told = h("p", { "aria-live": "polite", class: "dk-sum" });

  function draw() {
    const turn = (state.angle * Math.PI) / 180;
    const loss = [1, 0];
    const score = [Math.cos(turn), -Math.sin(turn)];
    const weight = state.balanced ? state.balance : state.balance * state.ratio;
    const direction = loss.map((value, k) => value - weight * score[k]);
    const length = Math.hypot(...direction);
    const shown = direction.map((value) => (-value / Math.max(length, 1e-9)) * Math.min(length, 1.15));
    const change = [-direction[0], -(direction[0] * score[0] + direction[1] * score[1])];
    drawing.replaceChildren(half([-1, 0], LOSS), half(score, SCORE), arrow(loss, LOSS, "∇L"),
      arrow(score, SCORE, "∇D"), arrow(shown, STEP, "step −d"));
    const verb = (value) => (Math.abs(value) < 0.005 ? "stays" : value > 0 ? "rises" : "falls");
    const [fall, rise] = [verb(change[0]), verb(change[1])];
    const formula = state.balanced ? "d = ∇L/|∇L| − b ∇D/|∇D|" : "d = ∇L − b ∇D";
    const both = fall === "falls" && rise === "rises";
    told.textContent = `${formula}. The loss ${fall} (${number(change[0])}), the dream's score ${rise} `
      + `(${number(change[1])}): ${both ? "both as we want" : "not both as we want"}.`;
    drawing.setAttribute("aria-label", told.textContent);
  }

  const lengths = slider("|∇D| / |∇L|", ratios.map(String), ratio, (n) => {
    state.ratio = ratios[n];
    draw();
  });
  root.append(
    slider("angle between them", degrees.map((value) => `${value}°`), angle,
      (n) => { state.angle = degrees[n]; draw(); }),
    slider("balance b", balances.map(String), 4, (n) => { state.balance = balances[n]; draw(); }),
    lengths,
    choice("direction", ["balanced by length", "plain difference"], 0,
      (n) => { state.balanced = n === 0; draw(); }),
    drawing, told,
    h("p", { class: "dk-note" }, "Orange: directions in which the loss falls. Green: directions in "
      + "which the score rises. Where they overlap, a step does both. The gradients are drawn at length 1."),
  );
  draw();
}
