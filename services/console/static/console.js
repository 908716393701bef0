/* Small behaviours. Every page reads and every form works without them. */
"use strict";

const phone = () => window.innerWidth < 768;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* "/" goes to the search field */
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector("[data-search]");
  if (!field || !field.offsetParent) return;
  event.preventDefault();
  field.focus();
});

/* Menus close on Escape and on a click elsewhere */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

/* One box for all the rows on screen */
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-all]")) return;
  const boxes = [...event.target.closest("table").querySelectorAll("tbody input[name=ticked], tbody input[data-row]")];
  for (const box of boxes) box.checked = event.target.checked;
  if (boxes.length) boxes[0].dispatchEvent(new Event("change", { bubbles: true }));
});

/* A choice that needs no button */
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

/* One question before anything leaves: the modal that htmx has filled opens itself */
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "question" && window.tabler) {
    const modal = document.querySelector("#question .modal");
    if (modal) window.tabler.Modal.getOrCreateInstance(modal).show();
  }
});

/* A page that shows more of a job than its progress is read anew when the job has ended */
document.addEventListener("htmx:sseClose", (event) => {
  if (event.detail.type === "message" && event.target.closest("[data-reload]")) window.location.reload();
});

/* On a phone the page's own name in the menu is in sight */
document.addEventListener("DOMContentLoaded", () => {
  const shown = document.querySelector(".subnav .active");
  if (shown) shown.parentElement.scrollLeft = shown.offsetLeft - (shown.parentElement.clientWidth - shown.offsetWidth) / 2;
});

/* What would leave is shown before anybody asks */
document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("[data-at-once]");
  if (button) button.form.requestSubmit(button);
});

/* A form is sent once */
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-once]")) {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  }
});

/* An entry dropped on a week is expected then, and the ticked ones with it */
let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("[data-card]");
  if (dragged) event.dataTransfer.effectAllowed = "move";
});
document.addEventListener("dragend", () => {
  dragged = null;
  for (const week of document.querySelectorAll(".week-target")) week.classList.remove("week-target");
});
document.addEventListener("dragover", (event) => {
  const week = dragged && event.target.closest("[data-drop]");
  for (const other of document.querySelectorAll(".week-target")) other.classList.toggle("week-target", other === week);
  if (!week || week.contains(dragged)) return;
  event.preventDefault();
  week.classList.add("week-target");
});
document.addEventListener("drop", (event) => {
  const week = dragged && event.target.closest("[data-drop]");
  if (!week || week.contains(dragged)) return;
  event.preventDefault();
  const box = dragged.querySelector("input[name=entry]");
  if (!box.checked) for (const other of document.querySelectorAll("[data-card] input[name=entry]")) other.checked = false;
  box.checked = true;
  box.form.elements.expected_on.value = week.dataset.drop;
  box.form.requestSubmit();
});

/* Charts: drawn from the table that stands behind each of them */
const rowsOf = (chart) =>
  [...document.querySelectorAll(`#${chart.dataset.table} tbody tr`)].map((row) => ({
    label: row.cells[0].textContent.trim(),
    value: Number(row.cells[1].dataset.value),
    text: row.cells[1].textContent.trim(),
    tone: row.dataset.tone,
    late: row.dataset.late === "yes",
  }));

function frame() {
  return {
    animation: false,
    textStyle: { fontFamily: colour("--tblr-font-sans-serif"), fontSize: 12, color: colour("--ink-soft") },
    tooltip: {
      trigger: "axis", axisPointer: { type: "none" }, renderMode: "richText",
      backgroundColor: colour("--tblr-bg-surface"), borderColor: colour("--grid"), borderWidth: 1,
      textStyle: { color: colour("--tblr-body-color"), fontSize: 12 },
    },
  };
}

function paid(rows) {
  const shown = [0, Math.floor((rows.length - 1) / 2), rows.length - 1];
  return {
    grid: { left: 0, right: 0, top: 4, bottom: 18 },
    xAxis: {
      type: "category", data: rows.map((row) => row.label), axisTick: { show: false }, axisLine: { show: false },
      axisLabel: {
        interval: (index) => shown.includes(index), color: colour("--ink-soft"), fontSize: 11,
        alignMinLabel: "left", alignMaxLabel: "right",
      },
    },
    yAxis: { show: false },
    series: [{
      type: "bar", barCategoryGap: "22%", data: rows.map((row) => row.value),
      itemStyle: { color: colour("--ok"), opacity: 0.75, borderRadius: [2, 2, 0, 0] },
    }],
    tooltip: { ...frame().tooltip, formatter: (points) => `${rows[points[0].dataIndex].label} : ${rows[points[0].dataIndex].text}` },
  };
}

function ageing(rows, chart) {
  const short = (text) => text.replace(/^(Plus de|More than|Over) /, "> ").replace(/^(Dans|In) /, "").replace(/ (à|to) /, "-").replace(/[  ](j|d|days)$/, "");
  const late = rows.filter((row) => row.late).length;
  const thousand = (row) => (Math.abs(row.value) >= 1000 ? `${Math.round(row.value / 1000)} k` : `${Math.round(row.value)}`);
  const width = chart.clientWidth - 16;
  const today = 8 + (width * late) / rows.length;
  return {
    grid: { left: 8, right: 8, top: 40, bottom: 24 },
    xAxis: {
      type: "category", data: rows.map((row) => row.label), axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("--grid") } },
      axisLabel: { color: colour("--ink-soft"), interval: 0, fontSize: phone() ? 10 : 12, formatter: (text) => (phone() ? short(text) : text) },
    },
    yAxis: { show: false },
    series: [{
      type: "bar", barCategoryGap: phone() ? "22%" : "34%",
      data: rows.map((row) => ({ value: row.value, itemStyle: { color: colour(`--${row.tone}`), borderRadius: [3, 3, 0, 0] } })),
      label: {
        show: true, position: "top", color: colour("--tblr-body-color"), fontWeight: 550, fontSize: phone() ? 10 : 12,
        formatter: (point) => (phone() ? thousand(rows[point.dataIndex]) : rows[point.dataIndex].text),
      },
    }],
    tooltip: { show: false },
    graphic: [
      { type: "line", shape: { x1: today, y1: 22, x2: today, y2: chart.clientHeight - 24 }, style: { stroke: colour("--ink-soft"), lineDash: [3, 3], lineWidth: 1 } },
      { type: "text", x: today, y: 6, style: { text: chart.dataset.today, textAlign: "center", fill: colour("--ink-soft"), font: `12px ${colour("--tblr-font-sans-serif")}` } },
    ],
  };
}

/* Messages by period, one colour per medium; the current rules as a line where there are two */
function messages(rows, chart) {
  const table = document.getElementById(chart.dataset.table);
  const heads = [...table.querySelectorAll("thead th[data-medium]")];
  const lines = [...table.querySelectorAll("tbody tr")];
  const tones = { email: "--due", letter: "--late-1", phone: "--ok", other: "--idle" };
  const values = (at) => lines.map((line) => Number(line.cells[at + 1].dataset.value));
  const series = heads.map((head, at) => (head.dataset.medium === "now" ? {
    name: head.textContent, type: "line", step: "middle", symbol: "none", data: values(at),
    lineStyle: { type: "dashed", width: 1.5, color: colour("--ink-soft") }, itemStyle: { color: colour("--ink-soft") },
  } : {
    name: head.textContent, type: "bar", stack: "messages", barCategoryGap: "18%", data: values(at),
    itemStyle: { color: colour(tones[head.dataset.medium]) },
  })).filter((one) => one.data.some((value) => value > 0));
  return {
    legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, textStyle: { color: colour("--ink-soft"), fontSize: 12 } },
    grid: { left: 4, right: 4, top: 32, bottom: 4, containLabel: true },
    xAxis: {
      type: "category", data: rows.map((row) => row.label), axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("--grid") } }, axisLabel: { color: colour("--ink-soft"), fontSize: 11, hideOverlap: true },
    },
    yAxis: { type: "value", minInterval: 1, splitLine: { lineStyle: { color: colour("--grid") } }, axisLabel: { color: colour("--ink-soft"), fontSize: 11 } },
    series,
  };
}

/* Money by month: what came and what is expected, one above the other; objectives as lines */
function months(rows, chart) {
  const table = document.getElementById(chart.dataset.table);
  const heads = [...table.querySelectorAll("thead th")].slice(1);
  const lines = [...table.querySelectorAll("tbody tr")];
  const thousands = (value) => (Math.abs(value) >= 1000 ? `${Math.round(value / 1000).toLocaleString()} k` : `${value}`);
  const series = heads.map((head, at) => {
    const data = lines.map((line) => (line.cells[at + 1].dataset.value === "" ? null : Number(line.cells[at + 1].dataset.value)));
    if (head.dataset.tone) return { name: head.textContent, type: "bar", stack: "money", barCategoryGap: "34%", data, itemStyle: { color: colour(`--${head.dataset.tone}`) } };
    const ink = colour(["--tblr-primary", "--stop", "--ink-soft"][Number(head.dataset.curve)]);
    return { name: head.textContent, type: "line", data, symbolSize: 5, lineStyle: { width: 2, color: ink }, itemStyle: { color: ink } };
  });
  return {
    legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, textStyle: { color: colour("--ink-soft"), fontSize: 12 } },
    grid: { left: 4, right: 4, top: phone() ? 56 : 32, bottom: 4, containLabel: true },
    xAxis: {
      type: "category", data: rows.map((row) => row.label), axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("--grid") } }, axisLabel: { color: colour("--ink-soft"), fontSize: 11, hideOverlap: true },
    },
    yAxis: { type: "value", splitLine: { lineStyle: { color: colour("--grid") } }, axisLabel: { color: colour("--ink-soft"), fontSize: 11, formatter: thousands } },
    series,
  };
}

const drawings = { paid, ageing, messages, months };
function draw() {
  if (!window.echarts) return;
  for (const chart of document.querySelectorAll("[data-chart]")) {
    const drawing = window.echarts.getInstanceByDom(chart) || window.echarts.init(chart, null, { renderer: "canvas" });
    drawing.resize();
    drawing.setOption({ ...frame(), ...drawings[chart.dataset.chart](rowsOf(chart), chart) }, true);
  }
}
document.addEventListener("DOMContentLoaded", () => (document.fonts ? document.fonts.ready.then(draw) : draw()));
window.addEventListener("resize", draw);
