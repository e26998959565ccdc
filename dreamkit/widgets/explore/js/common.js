// What all figures share. Each figure's own file defines `render(root, data)`.

/** An HTML element: h("button", { class: "x", onclick: f }, "text", child). */
function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Keys pressed inside a figure are the figure's: JupyterLab would take the arrow keys away. */
function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") event.stopPropagation();
  });
}

/** A labelled slider over a list of texts; `change(index)` is called when it moves. */
function slider(label, texts, start, change) {
  const output = h("output", {}, texts[start]);
  const input = h("input", {
    type: "range", min: 0, max: texts.length - 1, step: 1, value: start, "aria-label": label,
    "aria-valuetext": texts[start],
    oninput: () => {
      const index = Number(input.value);
      output.textContent = texts[index];
      input.setAttribute("aria-valuetext", texts[index]);
      change(index);
    },
  });
  return h("label", { class: "dk-slider" }, h("span", {}, label), input, output);
}

/** A drop-down list; `change(index)` is called when another text is chosen. */
function choice(label, texts, start, change) {
  const select = h("select", { onchange: () => change(select.selectedIndex) });
  texts.forEach((text, n) => select.append(h("option", n === start ? { selected: "" } : {}, text)));
  return h("label", { class: "dk-slider" }, h("span", {}, label), select);
}

/**
 * A table of buttons. Tab enters it, the arrow keys move inside it, and so does the pointer.
 * `point(row, column)` is called for the one that was moved to, `press` for the one pressed.
 */
function buttonTable(rows, columns, label, point, press = point) {
  const buttons = [];
  const table = h("div", { class: "dk-table", role: "group", "aria-label": label });
  table.style.gridTemplateColumns = `repeat(${columns}, max-content)`;
  const enter = (row, column) => {
    buttons.forEach((line) => line.forEach((button) => { button.tabIndex = -1; }));
    buttons[row][column].tabIndex = 0;
    point(row, column);
  };
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  for (let row = 0; row < rows; row += 1) {
    buttons.push([]);
    for (let column = 0; column < columns; column += 1) {
      const button = h("button", {
        type: "button", tabindex: row + column ? -1 : 0,
        onpointerenter: () => enter(row, column),
        onfocus: () => enter(row, column),
        onclick: () => press(row, column),
        onkeydown: (event) => {
          const move = moves[event.key];
          if (!move) return;
          event.preventDefault();
          const next = buttons[row + move[0]]?.[column + move[1]];
          if (next) next.focus();
        },
      });
      buttons[row].push(button);
      table.append(button);
    }
  }
  return { table, buttons };
}

/** Arrow keys move the thing that `element` shows: `move(rows, columns)`. */
function arrows(element, move) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  element.tabIndex = 0;
  element.addEventListener("keydown", (event) => {
    if (!steps[event.key]) return;
    event.preventDefault();
    move(...steps[event.key]);
  });
}

/** An image from a data address, ready to draw. */
async function picture(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

/** A function that draws tile n of a sheet into a canvas. */
async function sheet(data) {
  const image = await picture(data.image);
  return (canvas, n) => {
    const { width, height, columns } = data;
    const [x, y] = [(n % columns) * width, Math.floor(n / columns) * height];
    const context = canvas.getContext("2d");
    context.drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
  };
}

/** A named canvas under a caption. */
function panel(caption, width, height) {
  const canvas = h("canvas", { width, height, role: "img", "aria-label": caption });
  const title = h("figcaption", {}, caption);
  const figure = h("figure", {}, title, canvas);
  const name = (text) => { title.textContent = text; canvas.setAttribute("aria-label", text); };
  return { figure, canvas, name };
}

/** A number with a real minus sign. */
function number(value, digits = 2) {
  return String(Number(value.toFixed(digits))).replace("-", "−");
}
