// A dream, step by step and octave by octave: with raw, normalised and jittered gradients.

async function render(root, data) {
  const tile = await sheet(data);
  const { ways, sizes, steps } = data;
  const frames = sizes.flatMap((size, octave) => steps.map((step) => ({ size, octave, step })));
  const texts = frames.map(({ size, octave, step }) =>
    `octave ${octave + 1} of ${sizes.length} (${size[1]} × ${size[0]} px), step ${step}`);
  const panels = ways.map((way) => panel(way, 2 * data.width, 2 * data.height));

  function draw(frame) {
    panels.forEach(({ canvas, name }, n) => {
      tile(canvas, n * frames.length + frame);
      name(ways[n]);
      canvas.setAttribute("aria-label", `${ways[n]}: ${texts[frame]}`);
    });
  }

  root.append(slider("how far", texts, frames.length - 1, draw),
    h("div", { class: "dk-row" }, ...panels.map((one) => one.figure)));
  draw(frames.length - 1);
}
