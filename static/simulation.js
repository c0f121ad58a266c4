// Draws the charts of a simulation: every number stands in a table on the page as well.

const numbers = JSON.parse(document.getElementById("charts").textContent);
const drawn = [];
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

const written = (value) => value.toLocaleString(document.documentElement.lang);

const look = () => {
  const dark = document.documentElement.classList.contains("dark");
  return dark
    ? { ink: "#aeb8c6", line: "#242d3a", raised: "#18202b", before: "#56657d", after: "#7d90f5", limit: "#ff8a8a" }
    : { ink: "#475467", line: "#e4e7ec", raised: "#ffffff", before: "#b7c0cc", after: "#3d52d5", limit: "#c02626" };
};

const option = ({ labels, before, after, capacity }, sideways) => {
  const colour = look();
  const names = { type: "category", data: labels, axisTick: { show: false }, axisLine: { lineStyle: { color: colour.line } }, axisLabel: { color: colour.ink, interval: labels.length > 8 ? "auto" : 0, width: sideways ? 140 : 110, overflow: "break", lineHeight: 15 } };
  const values = { type: "value", splitLine: { lineStyle: { color: colour.line } }, axisLabel: { color: colour.ink, formatter: written } };
  const bar = (name, data, color) => ({ name, type: "bar", data, barMaxWidth: 22, itemStyle: { color, borderRadius: sideways ? [0, 3, 3, 0] : [3, 3, 0, 0] } });
  const series = [bar(numbers.words.before, before, colour.before), bar(numbers.words.after, after, colour.after)];
  if (capacity) {
    series.push({ name: numbers.words.capacity, type: "line", step: "middle", symbol: "none", data: capacity, lineStyle: { color: colour.limit, type: "dashed" }, itemStyle: { color: colour.limit } });
  }
  return {
    animation: !still,
    aria: { enabled: true },
    textStyle: { fontFamily: "Inter, sans-serif", color: colour.ink },
    grid: { left: 8, right: 16, top: 34, bottom: sideways || capacity ? 4 : 20, containLabel: true },
    legend: { top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: colour.ink } },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: colour.raised, borderColor: colour.line, textStyle: { color: colour.ink }, valueFormatter: written },
    xAxis: sideways ? values : names,
    yAxis: sideways ? { ...names, inverse: true } : values,
    series,
  };
};

const select = document.getElementById("center");

const draw = () => {
  for (const place of document.querySelectorAll("[data-picture]")) {
    const name = place.dataset.picture;
    const data = name === "load" ? numbers.load[select.value] : numbers[name];
    let chart = window.echarts.getInstanceByDom(place);
    if (!chart) {
      chart = window.echarts.init(place, null, { renderer: "svg" });
      drawn.push(chart);
    }
    chart.setOption(option(data, name === "vendors"), true);
  }
};

draw();
select?.addEventListener("change", draw);
window.addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["class"] });
