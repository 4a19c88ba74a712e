"use strict";
// Sorting, downloads, values on hover, and the switch between light and dark. No request leaves the page.
(() => {
  const tables = JSON.parse(document.getElementById("tables").textContent);

  // Numbers first, then texts, empty cells last, whatever the direction.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const rank = (value) => (typeof value === "number" ? 0 : value === "" ? 2 : 1);
  const sort = (head) => {
    const table = head.closest("table");
    const body = table.tBodies[0];
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const rows = Array.from(body.rows, (row) => [valueOf(row, head.cellIndex), row]);
    rows.sort(([first], [second]) => {
      if (rank(first) !== rank(second)) return rank(first) - rank(second);
      return direction * (rank(first) === 0 ? first - second : first.localeCompare(second, "en", { numeric: true }));
    });
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    body.append(...rows.map(([, row]) => row));
  };

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const textOf = (svg) => '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(svg) + "\n";
  const savePng = (svg, name) => {
    const scale = 3;
    const canvas = document.createElement("canvas");
    canvas.width = scale * svg.viewBox.baseVal.width;
    canvas.height = scale * svg.viewBox.baseVal.height;
    const image = new Image();
    image.onload = () => {
      const context = canvas.getContext("2d");
      context.fillStyle = "#ffffff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(blob, name), "image/png");
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(textOf(svg));
  };
  const download = (name, kind) => {
    const svg = document.querySelector(`#figure-${name} svg`);
    if (kind === "svg") save(new Blob([textOf(svg)], { type: "image/svg+xml" }), `${name}.svg`);
    else if (kind === "png") savePng(svg, `${name}.png`);
    else save(new Blob([tables[name][kind]], { type: "text/plain" }), `${name}.${kind}`);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.kind) download(button.dataset.name, button.dataset.kind);
    else if (button.closest("th")) sort(button.closest("th"));
    else if (button.id === "theme") {
      const root = document.documentElement;
      const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = (root.dataset.theme || (prefersDark ? "dark" : "light")) === "dark" ? "light" : "dark";
    }
  });

  // The title of a mark is taken out while it is shown, so that the browser does not show it a second time.
  const tip = document.getElementById("tip");
  let shown = null;
  const hide = () => {
    if (shown) shown.mark.prepend(shown.title);
    shown = null;
    tip.hidden = true;
  };
  document.addEventListener("pointerover", (event) => {
    hide();
    const mark = event.target.closest("svg *:has(> title)");
    if (!mark) return;
    const title = mark.querySelector(":scope > title");
    shown = { mark, title };
    tip.textContent = title.textContent;
    title.remove();
    tip.hidden = false;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 12, room))}px`;
    tip.style.top = `${event.clientY > 80 ? event.clientY - tip.offsetHeight - 12 : event.clientY + 16}px`;
  });
  document.addEventListener("pointerleave", hide);
  document.addEventListener("scroll", hide, { passive: true });

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  document.documentElement.classList.add("scripted");
})();
