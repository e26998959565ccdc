// A Gram matrix: point at an entry, and see where its two channels fire.

const FIRST = [213, 94, 0];
const SECOND = [0, 114, 178];

async function render(root, data) {
  const { channels, width, height } = data;
  const tile = await sheet(data.maps);
  const photo = await picture(data.photo);
  const maps = channels.map((_, n) => {
    const canvas = h("canvas", { width, height });
    tile(canvas, n);
    const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    return Float32Array.from({ length: width * height }, (__, i) => (10 * bytes[4 * i]) / 255);
  });
  const mean = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0) / a.length;
  const entries = maps.map((a) => maps.map((b) => mean(a, b)));
  const largest = Math.max(...entries.flat());

  const both = panel("where they fire on the picture", 2 * photo.width, 2 * photo.height);
  const parts = [0, 1, 2].map(() => panel("", width, height));
  const told = h("p", { "aria-live": "polite", class: "dk-sum" });
  const { table, buttons } = buttonTable(channels.length, channels.length,
    "Gram matrix: point at an entry", show);
  table.classList.add("dk-gram");
  buttons.forEach((line, i) => line.forEach((button, j) => {
    const share = Math.sqrt(entries[i][j] / largest);
    button.style.background = `rgba(0, 0, 0, ${0.06 + 0.85 * share})`;
    button.setAttribute("aria-label",
      `channels ${channels[i]} and ${channels[j]}: ${number(entries[i][j])}`);
  }));

  function paint(canvas, values, colour, top) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    values.forEach((value, i) => {
      const share = Math.min(value / top, 1);
      colour.forEach((part, c) => { image.data[4 * i + c] = 255 + (part - 255) * share; });
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  }

  function show(i, j) {
    const [a, b] = [maps[i], maps[j]];
    const products = a.map((value, k) => value * b[k]);
    const tops = [a, b].map((map) => Math.max(...map, 1e-9));
    paint(parts[0].canvas, a, FIRST, tops[0]);
    paint(parts[1].canvas, b, SECOND, tops[1]);
    paint(parts[2].canvas, products, [0, 0, 0], Math.max(...products, tops[0] * tops[1] * 0.1));
    parts[0].name(`channel ${channels[i]}`);
    parts[1].name(`channel ${channels[j]}`);
    parts[2].name("their product");

    const layer = h("canvas", { width, height });
    const context = layer.getContext("2d");
    const image = context.createImageData(width, height);
    a.forEach((value, k) => {
      const [p, q] = [value / tops[0], b[k] / tops[1]];
      for (let c = 0; c < 3; c += 1) {
        image.data[4 * k + c] = (FIRST[c] * p + SECOND[c] * q) / (p + q + 1e-9);
      }
      image.data[4 * k + 3] = 230 * Math.max(p, q);
    });
    context.putImageData(image, 0, 0);
    const view = both.canvas.getContext("2d");
    view.filter = "grayscale(1) brightness(1.25)";
    view.drawImage(photo, 0, 0, both.canvas.width, both.canvas.height);
    view.filter = "none";
    view.drawImage(layer, 0, 0, both.canvas.width, both.canvas.height);

    buttons.flat().forEach((button) => button.classList.remove("dk-seen"));
    buttons[i][j].classList.add("dk-seen");
    const [p, q] = [number(mean(a, a)), number(mean(b, b))];
    told.textContent = `G(${channels[i]}, ${channels[j]}) = ${number(entries[i][j])}, the mean of the `
      + (i === j ? "channel's square over all places. It says how strong the channel is."
        : `products over all places. On the diagonal, the two have ${p} and ${q}.`);
  }

  const gram = h("figure", {}, h("figcaption", {}, `${channels.length} channels of ${data.layer}`), table);
  root.append(h("div", { class: "dk-row" }, gram, both.figure),
    h("div", { class: "dk-row dk-maps" }, ...parts.map((part) => part.figure)), told,
    h("p", { class: "dk-note" }, "The strongest feature of the eight channels counts as 10."));
  show(...data.start);
}
