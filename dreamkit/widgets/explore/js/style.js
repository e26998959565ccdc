// Style transfer: content layer, content weight and style weight, from a grid made beforehand.

async function render(root, data) {
  const tile = await sheet(data);
  const { layers, contents, styles } = data;
  const state = [1, 2, 1];
  const result = panel("", 3 * data.width, 3 * data.height);
  const told = h("p", { "aria-live": "polite", class: "dk-sum" });

  function draw() {
    const [layer, content, style] = state;
    tile(result.canvas, (layer * contents.length + content) * styles.length + style);
    const name = `${layers[layer]}, α = ${contents[content]}, β = ${styles[style]}`;
    result.name(name);
    told.textContent = contents[content] === 0
      ? "With α = 0 nothing holds the photo: what remains of it is left over from the start."
      : `β/α = ${number(styles[style] / contents[content], 0)}: only this ratio counts, apart from `
        + "the total variation, whose weight stays 0.5.";
  }

  const controls = [["content layer", layers], ["content weight α", contents], ["style weight β", styles]];
  controls.forEach(([label, values], k) => root.append(
    slider(label, values.map(String), state[k], (n) => { state[k] = n; draw(); })));
  root.append(h("div", { class: "dk-row" }, result.figure), told);
  draw();
}
