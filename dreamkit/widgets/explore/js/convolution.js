// A convolution by hand, and what a deep feature sees of a photo.

const KERNELS = {
  "brighter to the right?": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
  "brighter downwards?": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
  "a bright dot?": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
  "how bright around here?": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
};
const [POSITIVE, NEGATIVE] = ["230, 97, 1", "94, 60, 153"];

function tint(element, value, largest) {
  const strength = Math.min(Math.abs(value) / largest, 1) * 0.8;
  element.style.background = `rgba(${value < 0 ? NEGATIVE : POSITIVE}, ${strength})`;
  element.textContent = number(value);
}

function byHand() {
  const pixels = [[0, 0, 2, 2, 0], [0, 0, 2, 2, 0], [0, 0, 2, 2, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]];
  let kernel = Object.values(KERNELS)[0];
  let [y, x] = [1, 1];
  const sums = h("p", { "aria-live": "polite", class: "dk-sum" });
  const inputs = buttonTable(5, 5, "picture: press a pixel to change it", () => {}, (row, column) => {
    pixels[row][column] = (pixels[row][column] + 1) % 4;
    draw();
  });
  const map = buttonTable(3, 3, "feature map: point at a number", (row, column) => {
    [y, x] = [row, column];
    draw();
  });
  const weights = h("div", { class: "dk-table" });
  weights.style.gridTemplateColumns = "repeat(3, max-content)";
  const cells = [...Array(9)].map(() => h("span"));
  weights.append(...cells);

  const at = (row, column) => {
    const products = [];
    kernel.forEach((line, i) => line.forEach((weight, j) => {
      products.push([weight, pixels[row + i][column + j]]);
    }));
    return products;
  };
  const total = (products) => products.reduce((sum, [weight, pixel]) => sum + weight * pixel, 0);

  function draw() {
    cells.forEach((cell, n) => tint(cell, kernel[Math.floor(n / 3)][n % 3], 8));
    inputs.buttons.forEach((line, i) => line.forEach((button, j) => {
      const grey = 60 + pixels[i][j] * 60;
      button.textContent = pixels[i][j];
      button.style.background = `rgb(${grey}, ${grey}, ${grey})`;
      button.style.color = grey > 130 ? "black" : "white";
      button.classList.toggle("dk-seen", i >= y && i < y + 3 && j >= x && j < x + 3);
      button.setAttribute("aria-label", `row ${i + 1}, column ${j + 1}: ${pixels[i][j]}`);
    }));
    map.buttons.forEach((line, i) => line.forEach((button, j) => {
      const value = total(at(i, j));
      tint(button, value, 8);
      button.classList.toggle("dk-seen", i === y && j === x);
      button.setAttribute("aria-label", `row ${i + 1}, column ${j + 1}: ${value}`);
    }));
    const terms = at(y, x).map(([weight, pixel]) => `${number(weight)}·${pixel}`);
    sums.textContent = `row ${y + 1}, column ${x + 1}: ${terms.join(" + ")} = ${number(total(at(y, x)))}`
      .replaceAll("+ −", "− ");
  }

  const names = Object.keys(KERNELS);
  const kernels = choice("The kernel asks:", names, 0, (n) => { kernel = KERNELS[names[n]]; draw(); });
  const part = (title, table) => h("figure", {}, h("figcaption", {}, title), table);
  draw();
  return h("section", {}, kernels, h("div", { class: "dk-row dk-tables" },
    part("picture (press to change)", inputs.table), part("kernel", weights),
    part("feature map (point here)", map.table)), sums);
}

async function onAPhoto(data) {
  const image = await picture(data.photo);
  const scale = 1.6;
  const [width, height] = [image.width, image.height];
  const photo = panel("photo: point at a feature", width * scale, height * scale);
  const crop = panel("what it sees", 200, 200);
  const told = h("p", { "aria-live": "polite", class: "dk-sum" });
  const { layers } = data;
  let layer = layers.findIndex((one) => one.name === "block3_conv1");
  let [y, x] = [Math.round(height * 0.4), Math.round(width * 0.5)];

  function draw() {
    const { name, kernel, step, size, stride, before, after } = layers[layer];
    const below = layers[layer - 1] ?? { size: 1, stride: 1 };
    const [row, column] = [Math.floor(y / stride), Math.floor(x / stride)];
    const [top, left] = [row * stride - before, column * stride - before];
    const side = before + after + 1;
    const context = photo.canvas.getContext("2d");
    context.drawImage(image, 0, 0, width * scale, height * scale);
    context.fillStyle = "rgba(0, 0, 0, 0.45)";
    const hole = new Path2D();
    hole.rect(0, 0, width * scale, height * scale);
    hole.rect(left * scale, top * scale, side * scale, side * scale);
    context.fill(hole, "evenodd");
    context.lineWidth = 3;
    context.strokeStyle = "#E69F00";
    context.strokeRect(left * scale, top * scale, side * scale, side * scale);
    const view = crop.canvas.getContext("2d");
    view.imageSmoothingEnabled = false;
    view.fillStyle = "black";
    view.fillRect(0, 0, 200, 200);
    view.drawImage(image, left, top, side, side, 0, 0, 200, 200);
    crop.name(`what it sees: ${side} × ${side} px`);
    const past = top < 0 || left < 0 || top + side > height || left + side > width;
    told.textContent = `${name}, feature (${row}, ${column}). Field ${below.size} + (${kernel} − 1) · `
      + `${below.stride} = ${size} px, stride ${below.stride} · ${step} = ${stride} px.`
      + (past ? " Beyond the edge it sees zeros." : "");
  }

  function move(rows, columns) {
    const { stride } = layers[layer];
    y = Math.min(Math.max(y + rows * stride, 0), height - 1);
    x = Math.min(Math.max(x + columns * stride, 0), width - 1);
    draw();
  }

  photo.canvas.addEventListener("pointermove", (event) => {
    const box = photo.canvas.getBoundingClientRect();
    y = Math.min(Math.max(((event.clientY - box.top) / box.height) * height, 0), height - 1);
    x = Math.min(Math.max(((event.clientX - box.left) / box.width) * width, 0), width - 1);
    draw();
  });
  arrows(photo.canvas, move);
  photo.canvas.setAttribute("aria-label", "photo: the arrow keys move to the next feature");
  const depth = slider("VGG-19's layer:", layers.map((one) => one.name), layer, (n) => {
    layer = n;
    draw();
  });
  draw();
  return h("section", {}, depth, h("div", { class: "dk-row" }, photo.figure, crop.figure), told);
}

async function render(root, data) {
  root.append(byHand(), await onAPhoto(data));
}
