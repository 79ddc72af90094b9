"use strict";
// Draws the figures that the page carries as data. Nothing is fetched and nothing is sent.
(() => {
  const NARROW = 560;
  const PRINT_WIDTH = 660;
  const book = JSON.parse(document.getElementById("figures").textContent);
  const cite = JSON.parse(document.getElementById("provenance").textContent).cite;
  const plots = Array.from(document.querySelectorAll("[data-figure]"));
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Set();
  let printing = false;
  document.documentElement.classList.add("js");

  // Plotly does not read CSS variables: each colour is replaced by its counterpart.
  function recoloured(node) {
    if (typeof node === "string") return Object.hasOwn(book.dark, node) ? book.dark[node] : node;
    if (Array.isArray(node)) return node.map(recoloured);
    if (node === null || typeof node !== "object") return node;
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, recoloured(value)]));
  }

  function wrapped(text, width) {
    const lines = [""];
    for (const word of text.split(" ")) {
      const last = lines.length - 1;
      if (lines[last] && lines[last].length + word.length >= width) lines.push(word);
      else lines[last] += (lines[last] ? " " : "") + word;
    }
    return lines;
  }

  // On a narrow screen the labels at the right end of the lines become a legend below.
  function narrowed(figure) {
    const layout = figure.layout;
    const labels = layout.annotations || [];
    const direct = labels.filter((one) => one.name === "direct").length;
    layout.margin = { ...layout.margin, l: Math.min(layout.margin.l, 44), r: 12 };
    figure.data.filter((one) => one.meta === "dots").forEach((one) => { one.marker.size = 4; });
    // Rows of a heat map have their names above them, and columns their names upright; numbers in the cells do without a scale.
    if (labels.some((one) => one.name === "policy")) {
      figure.data.forEach((one) => { one.showscale = false; });
      layout.xaxis = { ...layout.xaxis, tickangle: -90, ticktext: layout.xaxis.ticktext.map((one) => one.replaceAll("<br>", " ")) };
      layout.height += 110;
      layout.margin.b += 110;
    }
    if (direct > 0) {
      layout.showlegend = true;
      layout.legend = { ...layout.legend, font: { ...layout.legend.font, size: 11 } };
      layout.height += 22 * direct;
      layout.margin.b += 22 * direct;
      if (layout.xaxis && layout.xaxis.dtick === "M12") layout.xaxis.dtick = "M24";
    }
    layout.annotations = labels.filter((one) => one.name !== "direct" && one.name !== "band").map((one) => (
      one.name === "level" ? { ...one, text: wrapped(one.text.replaceAll("<br>", " "), 34).join("<br>"), font: { ...one.font, size: 11 } } : one
    ));
    return figure;
  }

  // Labels over rows of bars are broken into lines, and the rows made higher by as many.
  function rowed(figure, width) {
    const rows = (figure.layout.annotations || []).filter((one) => one.name === "row");
    if (rows.length === 0) return;
    const lines = rows.map((one) => wrapped(one.text, Math.floor((width - 48) / 6.6)));
    rows.forEach((one, number) => { one.text = lines[number].join("<br>"); });
    figure.layout.height += (Math.max(...lines.map((one) => one.length)) - 1) * 15 * rows.length;
  }

  // Numbers in the cells of a heat map are as large as fits, and left out where they could not be read.
  function celled(figure, width) {
    figure.data.filter((one) => one.meta && one.meta.cells).forEach((one) => {
      const { l, r } = figure.layout.margin;
      const cell = (width - l - (one.showscale === false ? r : Math.max(r, 66))) / one.z[0].length;
      const size = Math.min(12, Math.floor(2 * (cell - 3) / (one.meta.cells * 0.6)) / 2);
      if (size < 7) delete one.texttemplate;
      else one.textfont = { ...one.textfont, size };
    });
  }

  function prepared(id, width, inDark) {
    const figure = structuredClone(book.figures[id]);
    const fitted = width < NARROW ? narrowed(figure) : figure;
    rowed(fitted, width);
    celled(fitted, width);
    fitted.layout.width = width;
    return inDark ? recoloured(fitted) : fitted;
  }

  // The one place where figures are drawn; the configuration keeps every way out of the page shut.
  function draw(box) {
    const id = box.dataset.figure;
    const width = printing ? PRINT_WIDTH : Math.max(Math.floor(box.clientWidth), 200);
    const figure = prepared(id, width, dark.matches && !printing);
    if (drawn.has(id)) Plotly.purge(box); // drawing over an older size would keep its margins
    drawn.add(id);
    document.documentElement.dataset.drawn = String(drawn.size);
    const done = Plotly.newPlot(box, figure.data, figure.layout, book.config);
    document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true"); // its ruler, not a picture
    return done;
  }

  function redraw() {
    plots.filter((box) => drawn.has(box.dataset.figure)).forEach(draw);
  }

  // Those in sight first, the others one after another while the page is idle.
  const waiting = plots.slice();
  function next() {
    const box = waiting.shift();
    if (!box) return;
    if (!drawn.has(box.dataset.figure)) draw(box);
    window.setTimeout(next, 0);
  }
  const watcher = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting && !drawn.has(entry.target.dataset.figure)).forEach((entry) => draw(entry.target));
  }, { rootMargin: "400px" });
  plots.forEach((box) => watcher.observe(box));
  window.setTimeout(next, 50);

  dark.addEventListener("change", redraw);
  let known = window.innerWidth;
  window.addEventListener("resize", () => {
    if (printing || window.innerWidth === known || window.innerWidth < 200) return;
    known = window.innerWidth;
    window.requestAnimationFrame(redraw);
  });

  const opened = [];
  window.addEventListener("beforeprint", () => {
    printing = true;
    plots.forEach(draw);
    document.querySelectorAll("details:not([open])").forEach((one) => { one.open = true; opened.push(one); });
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    opened.splice(0).forEach((one) => { one.open = false; });
    redraw();
  });

  // A picture carries its title and its source, since pictures travel without the page.
  function picture(id) {
    const figure = prepared(id, 1000, dark.matches);
    const title = document.getElementById(`${id}-title`).textContent;
    const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
    const lines = wrapped(title, 95);
    const layout = figure.layout;
    const above = layout.margin.t + 24 * lines.length + 12;
    const below = layout.margin.b + 28;
    const place = { showarrow: false, xref: "paper", x: 0, xshift: 12 - layout.margin.l, xanchor: "left", align: "left", yref: "paper" };
    layout.height += above - layout.margin.t + 28;
    layout.margin = { ...layout.margin, t: above, b: below };
    layout.annotations = (layout.annotations || []).concat([
      { ...place, text: lines.map(escape).join("<br>"), y: 1, yshift: above - 8, yanchor: "top", font: { size: 17 } },
      { ...place, text: escape(`Source: ${cite}.`), y: 0, yshift: 8 - below, yanchor: "bottom", font: { size: 11 } },
    ]);
    return Plotly.downloadImage({ data: figure.data, layout, config: book.config }, { format: "png", width: 1000, height: layout.height, scale: 2, filename: id });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picture]");
    if (button) picture(button.dataset.picture);
  });
})();
